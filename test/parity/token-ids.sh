#!/usr/bin/env bash
# Compares token ids with Rust's on thousands of lines: test/parity/token-ids.sh [--seed <number>] [--lines <count>] [folder ...].
set -euo pipefail
source "$(dirname "$0")/python.sh" requirements.txt
"$python" "$here/token-ids.py" "$@"
