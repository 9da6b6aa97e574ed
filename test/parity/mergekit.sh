#!/usr/bin/env bash
# Compares evomerge's merges with those that mergekit makes of its configurations: test/parity/mergekit.sh. Uses the Python
# that PARITY_PYTHON names, or makes one with the packages of mergekit-requirements.txt for the time of the run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PARITY_PYTHON:-}
if [ -z "$python" ]; then
  venv=$(mktemp -d)
  trap 'rm -rf "$venv"' EXIT
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/mergekit-requirements.txt"
  python=$venv/bin/python
fi
"$python" "$here/mergekit.py"
