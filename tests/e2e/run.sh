#!/usr/bin/env bash
# Start the test cluster, run the end-to-end tests on it, and remove it again (KEEP=1 keeps it).
# CLUSTER, NODES and the ports come from the Makefile, so that the user's own cluster is never touched.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${CLUSTER:?run this by make e2e}"
# A variable given to `make test` must not reach the inner make, where it would win over the test cluster's own.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

finish() {
  local code=$?
  if [ -n "${KEEP:-}" ]; then
    echo "croft: the cluster $CLUSTER stays; remove it with: make down CLUSTER=$CLUSTER"
  else
    make --no-print-directory down || code=1
  fi
  exit "$code"
}
trap finish EXIT

make --no-print-directory up
CROFT_STATE_DIR="$PWD/.croft/$CLUSTER" .venv/bin/pytest -m e2e -q "$@"
