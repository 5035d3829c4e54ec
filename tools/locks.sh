#!/usr/bin/env bash
# Locks the dependencies again: requirements/all.lock for this tree, from its pins one for the benchmarks and one per
# image, and by itself one for vLLM.
#   tools/locks.sh           keeps the present pins where it can
#   tools/locks.sh --images  the images' locks alone
set -euo pipefail
cd "$(dirname "$0")/.."

# An image and the extras of pyproject.toml it is made of; `model` is the layer that training and triton share.
images=(
    "control --extra control --extra kubeflow"
    "features --extra acoustics --extra kit"
    "model --extra model"
    "training --extra model --extra services --extra pipelines --extra deepspeed"
    "triton --extra model --extra services --extra triton"
)

lock() {
    uv pip compile --quiet "$@" --override "${overrides:-requirements/overrides.txt}" --universal \
        --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
}

compile() { lock pyproject.toml "$@"; }

if [ "${1:-}" != --images ]; then
    compile --all-extras --group dev -o requirements/all.lock
    overrides=requirements/bench-overrides.txt \
        compile --group bench --extra model --constraint requirements/all.lock -o requirements/bench.lock
    overrides=requirements/vllm-overrides.txt lock --group vllm -o requirements/vllm.lock
fi
for image in "${images[@]}"; do
    read -r name extras <<<"$image"
    # shellcheck disable=SC2086  # the extras are words
    compile $extras --constraint requirements/all.lock --no-annotate -o "requirements/$name.lock"
done
