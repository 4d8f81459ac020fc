#!/usr/bin/env bash
# Every checker on every file; each prints only what is wrong, and all of them run before the result is told.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

failed=()
run() {
  local name=$1
  shift
  "$@" || failed+=("$name")
}

# The bundle's.
promtool() {
  "$(python -c 'from tests.prometheus import binary; print(binary("promtool"))')" "$@"
}

run "ruff check" ruff check --quiet .
run "ruff format" ruff format --quiet --check .
run "mypy" mypy --no-error-summary webapp plugins bundle grafana
run "dashboards" python -m grafana --check
run "alert rules" promtool check rules grafana/rules/recording.yml grafana/rules/alerts.yml
run "yamllint" yamllint --strict .
run "ansible-lint" ansible-lint -q
run "shell syntax" bash -n roles/host/files/venv.sh tests/lint.sh tests/e2e/run.sh .ci/run

if [ ${#failed[@]} -gt 0 ]; then
  echo "lint: not clean: $(IFS=,; echo "${failed[*]}")" >&2
  exit 1
fi
echo "lint: clean"
