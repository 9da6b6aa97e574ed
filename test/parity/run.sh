#!/usr/bin/env bash
# Compares evomerge with lm_eval: test/parity/run.sh [model folder ...].
set -euo pipefail
source "$(dirname "$0")/python.sh" requirements.txt
"$python" "$here/lm-eval.py" "$@"
