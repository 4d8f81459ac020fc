# The operator's front door: every target is one line that calls a playbook or a test.
# Settings go on the command line, like `make up NODES=3`; a cluster remembers those it was made with.
export CLUSTER ?= croft
STATE   = .croft/$(CLUSTER)
PLAY    = .venv/bin/ansible-playbook -i inventories/local
PYTHON  = .venv/bin/python
TEST    = CLUSTER=croft-test NODES=2 HTTP_PORT=18080 HTTPS_PORT=18443 API_PORT=26443 SSH_PORT=22220
BENCH   = CLUSTER=croft-bench NODES=1 HTTP_PORT=19080 HTTPS_PORT=19443 API_PORT=27443 SSH_PORT=23220
UVFLAGS = pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.DEFAULT_GOAL := help
.PHONY: help up down clean status credentials kubeconfig image-load bundle portal \
        test check lint unit slow test-host e2e bench bench-portal bench-monitoring openapi upgrade-check dashboards requirements format

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s%s\n", $$1, $$2 }' Makefile

up: .venv/installed ## Make the cluster with ingress and portal, or bring it up to date (NODES=1)
	@$(PLAY) playbooks/up.yml

status: .venv/installed ## Show nodes, pods that are not ready, and addresses
	@$(PLAY) playbooks/status.yml

credentials: .venv/installed ## Print the portal's address, the administrator's name and password
	@$(PLAY) playbooks/credentials.yml

kubeconfig: .venv/installed ## Write a kubeconfig for kubectl to ./kubeconfig-$(CLUSTER) (or FILE=…)
	@install -m 0600 $(STATE)/kubeconfig $(or $(FILE),kubeconfig-$(CLUSTER)) && echo "export KUBECONFIG=$(abspath $(or $(FILE),kubeconfig-$(CLUSTER)))"

image-load: .venv/installed ## Copy an image of the local podman into the nodes (IMAGE=…)
	@$(PLAY) playbooks/image_load.yml

down: .venv/installed ## Remove the cluster with its data; the bundle stays
	@$(PLAY) playbooks/down.yml

clean: .venv/installed ## Remove the cluster, the bundles and caches, and .venv
	@$(PLAY) playbooks/clean.yml && rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

bundle: .venv/installed ## Fill the bundle: every binary and image (BUNDLE_SOURCE=auto|upstream|modules)
	@$(PLAY) playbooks/host.yml playbooks/bundle.yml

portal: .venv/installed ## Run web and worker on this machine against the cluster, for development
	@$(PYTHON) -m webapp.dev --state $(STATE)

upgrade-check: .venv/installed ## Rehearse the upgrade of a portal's database on a copy (DB=<file or URL>)
	@$(PYTHON) -m webapp.upgrade_check

openapi: .venv/installed ## Print the API's OpenAPI document as JSON
	@.venv/bin/flask --app webapp.wsgi openapi

test: test-host bundle check slow e2e ## Run everything: lint, unit, chart and role tests, end-to-end on a cluster of its own

check: .venv/installed ## Run the quick part that needs no cluster, in about 8 minutes (helm comes from the bundle)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line lint unit

lint: .venv/installed ## Check the style of every file
	@tests/lint.sh

unit: .venv/installed ## Run the quick tests that need no cluster
	@.venv/bin/pytest -m "not e2e and not slow" -q -n 2 --dist loadfile

slow: .venv/installed ## Run the tests without a cluster that take longer: a real browser, real worker processes
	@.venv/bin/pytest -m "slow and not e2e" -q -n 2 --dist loadfile

test-host: .venv/installed ## Install what the tests need on this machine: Chromium, PostgreSQL
	@$(PLAY) playbooks/test_host.yml

e2e: .venv/installed ## Run the end-to-end tests on the cluster croft-test (KEEP=1 keeps it)
	@$(TEST) tests/e2e/run.sh

bench: .venv/installed ## Measure speed and memory; writes docs/benchmarks.json and docs/benchmarks.md
	@$(BENCH) $(PYTHON) -m tests.bench

bench-portal: .venv/installed ## Measure how quickly a well filled portal answers; writes docs/benchmarks-portal.*
	@CROFT_STATE_DIR=$(wildcard $(STATE)) $(PYTHON) -m tests.bench.portal

dashboards: .venv/installed ## Write dashboards, alert rules and their documentation from grafana/
	@$(PYTHON) -m grafana

bench-monitoring: .venv/installed ## Measure dashboards and what monitoring costs; writes docs/benchmarks-monitoring.*
	@CROFT_STATE_DIR=$(wildcard $(STATE)) $(PYTHON) -m tests.bench.monitoring

requirements: .venv/installed ## Compile the pinned requirements from *.in
	@.venv/bin/uv $(UVFLAGS) requirements.in -o requirements.txt && .venv/bin/uv $(UVFLAGS) webapp/requirements.in -c requirements.txt -o webapp/requirements.txt

format: .venv/installed ## Format the Python code
	@.venv/bin/ruff check --fix -q . && .venv/bin/ruff format -q .

.venv/installed: requirements.txt
	@roles/host/files/venv.sh
