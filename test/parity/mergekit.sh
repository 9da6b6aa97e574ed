#!/usr/bin/env bash
# Compares evomerge's merges with those that mergekit makes of its configurations: test/parity/mergekit.sh [<part of the names of merges>].
set -euo pipefail
source "$(dirname "$0")/python.sh" mergekit-requirements.txt
"$python" "$here/mergekit.py" "$@"
