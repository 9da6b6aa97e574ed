#!/usr/bin/env bash
# Compares evomerge's merges by recipes of mergekit with mergekit's own: test/parity/recipes.sh [--write] [recipe ...].
set -euo pipefail
source "$(dirname "$0")/python.sh" mergekit-requirements.txt
"$python" "$here/recipes.py" "$@"
