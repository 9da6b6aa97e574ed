#!/usr/bin/env bash
# Compares what `evomerge evaluate` stores and reports with lm_eval itself: test/parity/evaluate.sh <run>. Uses the Python
# that PARITY_PYTHON names, or makes one with the packages of requirements.txt for the time of the run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
run=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PARITY_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet -r "$here/requirements.txt"
  python=$work/venv/bin/python
fi
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_DATASETS_CACHE=$work/datasets
cd "$here/../.." # demo_mmlu.yaml names its rows relative to the root of the repository
evaluate() {
  node --import tsx src/cli/main.ts evaluate "$run" --task demo_mmlu --python "$python" "$@" \
    -- --include_path experiments/demo/mmlu --device cpu
}
evaluate
evaluate --json >"$work/again.json" 2>"$work/again.txt"
"$python" "$here/evaluate.py" "$run" "$work/again.json" "$work/again.txt"
