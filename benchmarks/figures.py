"""The figures a benchmark prints: {name, ours, theirs, ratio, unit, spread, goal, holds}, one JSON line each."""

import json
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

Figure = dict[str, Any]


def spread(values: Sequence[float]) -> float:
    """The interquartile range; 0 of a single value."""
    if len(values) < 2:
        return 0.0
    first, _, third = statistics.quantiles(values, n=4)
    return third - first


def against_goal(name: str, values: Sequence[float], *, unit: str, goal: float) -> Figure:
    """The median of what has no alternative to compare with, only a goal it must not exceed."""
    median = statistics.median(values)
    return {
        "name": name,
        "ours": round(median, 3),
        "theirs": None,
        "ratio": None,
        "unit": unit,
        "spread": round(spread(values), 3),
        "goal": goal,
        "holds": median <= goal,
    }


def show(figures: Iterable[Figure]) -> None:
    """Prints them."""
    for figure in figures:
        print(json.dumps(figure), flush=True)
