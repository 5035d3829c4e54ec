"""The learning stages a step calls, found by the name of their module.

Promises that a module lacking a stage is refused by name. The name is fixed when the pipeline is compiled: tests
compile it with a stand-in, and nobody chooses it from a form.
"""

import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from mgrd.importing import quick_imports
from pipelines.errors import PipelineError
from pipelines.steps.reporting import Reporter

DEFAULT_MODULE = "model.distillation.stages"
Settings = Mapping[str, Any]


class Report(Protocol):
    """What a stage returns: figures by name, and everything else it has to say."""

    metrics: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The whole report, ready for JSON."""


class Stages(Protocol):
    """The seam to `model.distillation.stages`; each config is a frozen dataclass of that module."""

    PrepareConfig: Callable[..., Any]
    DistilConfig: Callable[..., Any]
    SftConfig: Callable[..., Any]
    RlConfig: Callable[..., Any]
    EvalConfig: Callable[..., Any]
    ColdStartConfig: Callable[..., Any]
    AlignConfig: Callable[..., Any]
    GainConfig: Callable[..., Any]
    prepare: Callable[[Any, Path, Reporter], Path]
    distil: Callable[..., Report]
    finetune: Callable[..., Report]
    reinforce: Callable[..., Report]
    evaluate: Callable[..., Report]
    cold_start: Callable[..., Report]
    reinforce_text: Callable[..., Report]
    align: Callable[..., Report]
    measure_gain: Callable[..., Report]


def load_stages(module: str) -> Stages:
    """The stages in `module`."""
    with quick_imports():
        found = importlib.import_module(module)
    missing = [name for name in Stages.__annotations__ if not hasattr(found, name)]
    if missing:
        raise PipelineError(f"module {module} has no {missing[0]}", reason="STAGES_INCOMPLETE")
    return cast(Stages, found)


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Writes `content`, readable and in a stable order."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
