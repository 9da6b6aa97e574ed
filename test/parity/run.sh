#!/usr/bin/env bash
# Compares evomerge with lm_eval: test/parity/run.sh [model folder ...]. Uses the Python that PARITY_PYTHON names, or makes
# one with the packages of requirements.txt for the time of the run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PARITY_PYTHON:-}
if [ -z "$python" ]; then
  venv=$(mktemp -d)
  trap 'rm -rf "$venv"' EXIT
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
  python=$venv/bin/python
fi
"$python" "$here/lm-eval.py" "$@"
