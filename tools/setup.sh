#!/usr/bin/env bash
# Sets up .venv from the locked requirements. Checks first, in seconds, everything the platform needs of this machine;
# each thing that is missing is one sentence with the command that mends it. Does nothing where all is in place.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements/all.lock
stamp=.venv/.mgrd-lock
disk_mb=8000        # the environment with torch's CUDA build, and room for runs
memory_mb=3000      # the platform at rest and one run
problems=()

problem() { problems+=("$1"); }

works() { "$1" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" /usr/bin/python3.11 /usr/bin/python3.12 python3.11 python3.12 python3; do
        if [ -n "$candidate" ] && works "$candidate"; then echo "$candidate"; return; fi
    done
}

# Triton's stub for our Python loads the shared libpython of that version.
has_libpython() {
    "$1" - <<'PYTHON' 2>/dev/null
import ctypes, pathlib, sys, sysconfig
name = f"libpython{sys.version_info[0]}.{sys.version_info[1]}.so.1.0"
own = pathlib.Path(sysconfig.get_config_var("LIBDIR") or "/none") / name
try:
    ctypes.CDLL(str(own) if own.exists() else name)
except OSError:
    raise SystemExit(1)
PYTHON
}

check_python() {
    python=$(find_python)
    if [ -z "$python" ]; then
        problem "Python 3.11 or 3.12 is missing: apt-get install -y python3 python3-venv"
        return
    fi
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ -z "$uv" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        problem "Python's venv module is missing: apt-get install -y python$version-venv"
    fi
    has_libpython "$python" || problem "Triton's stub needs the shared libpython: apt-get install -y libpython$version"
}

check_machine() {
    [ "$(uname -s)" = Linux ] || problem "This is $(uname -s), and the platform needs Linux: use a Debian or Ubuntu machine"
    [ "$(uname -m)" = x86_64 ] || problem "This is $(uname -m), and Triton's wheel is built for x86_64: use such a machine"
    local glibc free available
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2 || true)
    if [ -n "$glibc" ] && [ "$(printf '%s\n2.35\n' "$glibc" | sort -V | head -1)" != 2.35 ]; then
        problem "glibc is $glibc, and Triton needs 2.35 or newer: use Debian 12, Ubuntu 22.04 or later"
    fi
    free=$(df -Pm . | awk 'NR==2 {print $4}')
    is_current && disk_mb=1000
    [ "$free" -ge "$disk_mb" ] || problem "Only $free MB of disk are free here, $disk_mb are needed: free some, or move the clone"
    available=$(awk '/MemAvailable/ {print int($2/1024)}' /proc/meminfo)
    [ "$available" -ge "$memory_mb" ] || problem "Only $available MB of memory are available, $memory_mb are needed: close something"
}

identity() { echo "$(sha256sum <"$lock" | cut -c1-64) $(.venv/bin/python -V 2>&1)"; }

is_current() { [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(identity)" ]; }

install() {
    echo "setting up .venv with $("$python" -V) (a few minutes, mostly downloads)"
    [ -x .venv/bin/python ] && works .venv/bin/python || make_environment
    if [ -n "$uv" ]; then
        "$uv" pip sync --quiet --python .venv/bin/python "$lock"
    else
        # --no-deps: the lock is complete, and kfp's own demand on certifi cannot be met (requirements/overrides.txt).
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
    fi
    identity >"$stamp"
}

make_environment() {
    if [ -n "$uv" ]; then "$uv" venv --quiet --clear --python "$python" .venv; else "$python" -m venv --clear .venv; fi
}

# The tree is not installed, it is run from where it is: by the command, and by any file the environment's Python runs.
write_command() {
    local packages
    packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$PWD" >"$packages/mgrd.pth"
    cat >.venv/bin/mgrd <<COMMAND
#!$PWD/.venv/bin/python
from mgrd.cli.main import main
main(prog_name="mgrd")
COMMAND
    chmod +x .venv/bin/mgrd
}

uv=$(command -v uv || true)
if [ -n "$uv" ] && ! "$uv" --version >/dev/null 2>&1; then uv=""; fi
check_python
check_machine
if [ ${#problems[@]} -gt 0 ]; then
    printf 'setup: %s\n' "${problems[@]}" >&2
    exit 1
fi
is_current || install
write_command
