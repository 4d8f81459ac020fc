#!/usr/bin/env bash
# Make .venv from requirements.txt. Ansible itself comes from there, so this step cannot be a role.
set -euo pipefail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11; do
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

if ! python=$(find_python); then
  echo "croft: installing python3 and python3-venv"
  as_root apt-get update -q
  as_root apt-get install -y -q --no-install-recommends python3 python3-venv
  python=$(find_python) || {
    echo "croft: $(python3 --version) is not supported; install Python 3.11, 3.12 or 3.13 with its venv module" >&2
    exit 1
  }
fi
[ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
echo "croft: installing the Python packages of requirements.txt into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
touch .venv/installed
