#!/usr/bin/env bash
# Generates the Python stubs of protos/ into mgrd/<area>/v1/. `--check` fails when they are stale.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
protos=$(cd protos && find mgrd -name '*.proto' | sort)
# shellcheck disable=SC2086
.venv/bin/python -m grpc_tools.protoc -Iprotos --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" $protos
# Areas without a service get no servicer file.
find "$out" -name '*_pb2_grpc.py' | while read -r f; do grep -q '^class ' "$f" || rm "$f"; done
if [ "${1:-}" = "--check" ]; then
  (cd "$out" && find . -type f) | while read -r f; do
    cmp -s "$out/$f" "$f" || { echo "stale stub: $f; run tools/generate_stubs.sh" >&2; exit 1; }
  done
else
  cp -r "$out/." .
fi
