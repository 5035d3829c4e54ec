"""Results of arms: one JSON file each, holding every item's outcome so that arms can be paired.

Promises that a file appears whole or not at all, that it says what it was made from (base, seed, sizes,
recipe, hypotheses), and that one made from something else is never taken for this one. On disk outcomes
are columns over lists of ids that are written once, a tenth of the size.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Values = Mapping[str, float | None]
"""Outcome by item id; None where the metric says nothing of an item."""


@dataclass(frozen=True)
class Origin:
    """What a result was made from."""

    base: str
    """First eight digits of the SHA-256 of the base's weights."""
    seed: int
    sizes: str
    """Name of the sizes, and their identity."""
    recipe: str
    """Identity of the arm's recipe and of those it builds on, and what is measured."""
    hypotheses: str
    """Identity of the hypotheses file at that time."""
    commit: str = ""
    """Code that made it, for people."""

    @property
    def cell(self) -> str:
        """Name of the folder that holds the results of this base and seed."""
        return f"{self.base}-{self.seed}"

    def same_run(self, other: "Origin") -> bool:
        """Whether a result of `other` answers for this one; the words of the hypotheses change no run."""
        return (self.base, self.seed, self.sizes, self.recipe) == (other.base, other.seed, other.sizes, other.recipe)


@dataclass(frozen=True)
class ArmResult:
    """What came of one arm."""

    arm: str
    origin: Origin
    metrics: dict[str, Values]
    """`measure.name` to outcomes."""
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Kind, depth and the like of each item."""
    stages: list[dict[str, Any]] = field(default_factory=list)
    """Reports of the stages that were run, without their samples."""
    cost: dict[str, float] = field(default_factory=dict)
    """Tokens and updates spent from the base on; `seconds` and `cpu_seconds` of this arm alone."""

    def write(self, path: Path) -> None:
        """Writes it in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        kept = asdict(self) | {"metrics": _columns(self.metrics), "items": _columns(_turned(self.items))}
        partial.write_text(json.dumps(kept, separators=(",", ":"), sort_keys=True) + "\n")
        partial.replace(path)


def read_result(path: Path) -> ArmResult:
    """One result."""
    found = json.loads(path.read_text())
    metrics, items = (_tables(found[name]) for name in ("metrics", "items"))
    return ArmResult(**{**found, "origin": Origin(**found["origin"]), "metrics": metrics, "items": _turned(items)})


def read_results(folder: Path) -> Iterator[ArmResult]:
    """All results below `folder`, cells in order of their names."""
    for path in sorted(folder.glob("*/*.json")):
        yield read_result(path)


def _columns(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Tables of values by id as `ids`, lists that tables share, and by name the list's number and the values."""
    ids = list(dict.fromkeys(tuple(table) for table in tables.values()))
    numbers = {known: number for number, known in enumerate(ids)}
    columns = {name: [numbers[tuple(table)], list(map(_short, table.values()))] for name, table in tables.items()}
    return {"ids": ids, "columns": columns}


def _tables(kept: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What `_columns` was made of."""
    ids = kept["ids"]
    return {name: dict(zip(ids[number], values, strict=True)) for name, (number, values) in kept["columns"].items()}


def _turned(table: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows for columns."""
    turned: dict[str, dict[str, Any]] = {}
    for outer, row in table.items():
        for inner, value in row.items():
            turned.setdefault(inner, {})[outer] = value
    return turned


def _short(value: Any) -> Any:
    """Outcomes are mostly 0 or 1; six digits are more than any of them means."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 6)
    return value
