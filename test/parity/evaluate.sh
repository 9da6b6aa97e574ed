#!/usr/bin/env bash
# Compares what `evomerge evaluate` stores and reports with lm_eval itself: test/parity/evaluate.sh <run> [model ...].
# Without models: all of the run.
set -euo pipefail
run=$(cd "$1" && pwd)
shift
models=("$@")
source "$(dirname "$0")/python.sh" requirements.txt
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_DATASETS_CACHE=$work/datasets
cd "$here/../.." # demo_mmlu.yaml names its rows relative to the root of the repository
evaluate() {
  node --import tsx src/cli/main.ts evaluate "$run" --task demo_mmlu --python "$python" "$@" \
    ${models:+--models "${models[@]}"} -- --include_path experiments/demo/mmlu --device cpu
}
evaluate
evaluate --json >"$work/again.json" 2>"$work/again.txt"
"$python" "$here/evaluate.py" "$run" "$work/again.json" "$work/again.txt"
