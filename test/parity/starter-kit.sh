#!/usr/bin/env bash
# Compares the modules for the LLM-Merging starter kit with evomerge's own merges: test/parity/starter-kit.sh. With
# STARTER_KIT=<git clone of the kit> also inside the kit. Uses the Python that PARITY_PYTHON names, or makes one with the
# packages of starter-kit-requirements.txt for the time of the run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PARITY_PYTHON:-}
if [ -z "$python" ]; then
  venv=$(mktemp -d)
  trap 'rm -rf "$venv"' EXIT
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/starter-kit-requirements.txt"
  python=$venv/bin/python
fi
"$python" "$here/starter-kit.py"
