#!/usr/bin/env bash
# Compares the modules for the LLM-Merging starter kit with evomerge's own merges: test/parity/starter-kit.sh. With
# STARTER_KIT=<git clone of the kit> also inside the kit.
set -euo pipefail
source "$(dirname "$0")/python.sh" starter-kit-requirements.txt
"$python" "$here/starter-kit.py"
