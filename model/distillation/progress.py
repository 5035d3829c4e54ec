"""How a stage says how far it is, and what it leaves behind."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Progress(Protocol):
    """Called as a stage goes on; may raise to stop it."""

    def __call__(self, fraction: float, message: str, metrics: Mapping[str, float] = ..., /) -> None: ...


@dataclass(frozen=True)
class StageReport:
    """What a stage did: figures by name, and everything else it has to say."""

    stage: str
    metrics: dict[str, float]
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)

    def write(self, folder: Path) -> None:
        """Leaves it in `folder` as report.json."""
        (folder / "report.json").write_text(json.dumps(self.to_dict(), indent=2))
