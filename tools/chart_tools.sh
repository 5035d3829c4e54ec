#!/usr/bin/env bash
# What checks the chart and docker-compose.yml: helm, kubeconform and docker-compose, built from their Go modules, and
# promtool from Debian's package.
#   tools/chart_tools.sh fetch    into the cache, once (some minutes)
#   tools/chart_tools.sh where    the folder they are in
# CI and tests/support/charts.py find them there; ones on the PATH are not used, so that versions are ours.
set -euo pipefail

helm=v3.19.5
kubeconform=v0.7.0
compose=v2.40.3
kubernetes=34        # minor version that `helm template` and `helm lint` suppose without a cluster
cache="${MGRD_TOOLS_CACHE:-$HOME/.cache/mgrd/chart-tools}/$helm-$kubeconform-$compose"

need() {
    command -v "$1" >/dev/null || { echo "chart_tools.sh: $1 is missing; $2" >&2; exit 3; }
}

build() {
    local capabilities=helm.sh/helm/v3/pkg/chartutil
    need go "install Go 1.24 or newer"
    export GOBIN="$cache" CGO_ENABLED=0
    go install "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform"
    go install -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=$helm \
        -X $capabilities.k8sVersionMajor=1 -X $capabilities.k8sVersionMinor=$kubernetes" \
        "helm.sh/helm/v3/cmd/helm@$helm"
}

# Its go.mod excludes versions, which `go install` does not take from another module.
build_compose() {
    local folder
    folder=$(go mod download -json "github.com/docker/compose/v2@$compose" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    (cd "$folder" && CGO_ENABLED=0 go build -ldflags "-s -w" -o "$cache/docker-compose" ./cmd)
}

# Only the one binary: the package would also set up a server.
unpack_promtool() {
    need apt-get "promtool comes from Debian's package prometheus"
    local folder
    folder=$(mktemp -d)
    chmod 755 "$folder"
    (cd "$folder" && apt-get download -qq prometheus && dpkg -x prometheus_*.deb . && install usr/bin/promtool "$cache/")
    rm -r "$folder"
}

fetch() {
    [ -e "$cache/.complete" ] && return
    mkdir -p "$cache"
    build >&2
    build_compose >&2
    unpack_promtool >&2
    touch "$cache/.complete"
}

case "${1:-}" in
    fetch) fetch ;;
    where) echo "$cache" ;;
    *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
