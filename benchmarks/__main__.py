"""`make bench`: runs every benchmark in a process of its own and writes benchmarks/RESULTS.md.

    python -m benchmarks            all of them, and the table is written
    python -m benchmarks logmel     one of them, printed only

A benchmark is a module `bench_<name>` that prints one JSON line a figure: {name, ours, theirs, ratio, unit, spread,
goal, holds}. A benchmark that fails is named in the table and makes the exit status 1.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import show

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
FIGURE = '{"name"'
"""How a figure's line begins; others print too, transformers' trainer dictionaries among them."""
COLUMNS = ("name", "ours", "theirs", "ratio", "unit", "spread", "goal", "holds")
_TIMEOUT_S = 1_800


@dataclass(frozen=True)
class Outcome:
    """What one benchmark printed."""

    benchmark: str
    figures: tuple[dict[str, Any], ...] = ()
    error: str = field(default="")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chosen benchmarks; returns the exit status."""
    known = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*known, []], help="which; default: all, and write RESULTS.md")
    names = parser.parse_args(arguments).names
    outcomes = [measure(name) for name in names or known]
    if not names:
        RESULTS.write_text(report(outcomes))
    return 1 if any(one.error for one in outcomes) else 0


def measure(benchmark: str) -> Outcome:
    """Runs one benchmark, printing its figures as they are."""
    command = [sys.executable, "-m", f"benchmarks.bench_{benchmark}"]
    try:
        done = subprocess.run(
            command, cwd=FOLDER.parent, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(benchmark, error=f"took longer than {_TIMEOUT_S} s")
    figures = tuple(json.loads(line) for line in done.stdout.splitlines() if line.startswith(FIGURE))
    show(figures)
    if done.returncode or not figures:
        sys.stderr.write(done.stderr)
        last = (done.stderr.strip().splitlines() or ["printed nothing"])[-1]
        return Outcome(benchmark, figures, error=last)
    return Outcome(benchmark, figures)


def report(outcomes: Sequence[Outcome]) -> str:
    """The page of results."""
    rows = [row(figure) for one in outcomes for figure in one.figures]
    failures = [f"- `{one.benchmark}` failed: {one.error}" for one in outcomes if one.error]
    lines = [
        "# Measured",
        "",
        f"Made by `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit `{commit()}`, on {machine()}.",
        "Ratios are of medians in one run; the spread is the one each benchmark's header names.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *rows,
        *(["", *failures] if failures else []),
    ]
    return "\n".join(lines) + "\n"


def row(figure: dict[str, Any]) -> str:
    """One line of the table."""
    return "| " + " | ".join(cell(figure.get(column)) for column in COLUMNS) + " |"


def cell(value: Any) -> str:
    """A value as the table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def machine() -> str:
    """What it was measured on, without a name."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {model}, {memory_gb:.0f} GB, Python {platform.python_version()}"


def commit() -> str:
    """The commit that was measured, marked where the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
