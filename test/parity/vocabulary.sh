#!/usr/bin/env bash
# Merges experts of other tokens and compares what comes out with transformers and lm_eval: test/parity/vocabulary.sh
# [--to <report.md>] [family ...].
set -euo pipefail
source "$(dirname "$0")/python.sh" requirements.txt
"$python" "$here/vocabulary.py" "$@"
