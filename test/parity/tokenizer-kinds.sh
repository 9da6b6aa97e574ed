#!/usr/bin/env bash
# Compares evomerge with lm_eval on rows under every kind of tokenizer.
set -euo pipefail
source "$(dirname "$0")/python.sh" requirements.txt
"$python" "$here/tokenizer-kinds.py" "$@"
