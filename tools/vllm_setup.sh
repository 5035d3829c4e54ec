#!/usr/bin/env bash
# Makes .venv-vllm: stock vLLM for a CPU (requirements/vllm.lock, 6 GB), told of our model by tools/vllm. Does nothing
# where all is in place.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements/vllm.lock
stamp=.venv-vllm/.mgrd-lock
identity() { sha256sum "$lock" tools/vllm/pyproject.toml; }
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(identity)" ]; then exit 0; fi

echo "setting up .venv-vllm (a few minutes, mostly downloads)"
if uv --version >/dev/null 2>&1; then
    uv venv --quiet --clear --python .venv/bin/python .venv-vllm
    uv pip sync --quiet --python .venv-vllm/bin/python --require-hashes "$lock"
    uv pip install --quiet --python .venv-vllm/bin/python --no-deps ./tools/vllm
else
    .venv/bin/python -m venv --clear .venv-vllm
    .venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
    .venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check --no-deps ./tools/vllm
fi
identity >"$stamp"
