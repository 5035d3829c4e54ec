#!/usr/bin/env bash
# Checks protos/ with buf (STANDARD and COMMENTS), which npm's @bufbuild/buf brings. Without node it is left out, with
# the remedy; where CI is true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v buf >/dev/null; then
    buf lint protos
elif command -v npx >/dev/null; then
    npx --yes @bufbuild/buf@1.57.2 lint protos
else
    echo "lint: protos not checked, since node is missing: apt-get install -y nodejs npm" >&2
    [ "${CI:-}" != true ]
fi
