#!/usr/bin/env bash
# Takes a tiny model of every family through a whole run: test/parity/families.sh [--to <report.md>] [family ...].
set -euo pipefail
source "$(dirname "$0")/python.sh" requirements.txt
"$python" "$here/families.py" "$@"
