"""What the demo shows at its end: the table of accuracies, and where to look next."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mgrd.cli.names import short
from mgrd.cli.output import table
from mgrd.clients.training import Run

_TITLE = "\nwhat the run brought (accuracy with its 95 % interval; claims: share the measurements support)"
STAGES = (
    ("evaluate-base", "base"),
    ("evaluate-distilled", "after distillation"),
    ("evaluate-reinforced", "after reinforcement"),
    ("evaluate-aligned", "after alignment"),
)
FIGURES = (
    ("accuracy_think", "thinking"),
    ("accuracy_direct", "without thinking"),
    ("accuracy_contradictory", "words mislead"),
    ("accuracy_silent", "sound taken away"),
    ("acoustic_chains", "argue from sound"),
    ("claims_supported", "claims supported"),
)
"""Metrics of an evaluation step, and what their columns are called."""


def accuracy_table(run: Run) -> Table:
    """Accuracy on held-out scenes at each stage, with and without thinking, and the share of supported claims."""
    view = table("held-out scenes", *(title for _, title in FIGURES), title=_TITLE)
    for prefix, label in STAGES:
        for step in run.steps:
            if step.name.startswith(prefix) and step.metrics:
                turn = step.name.removeprefix(prefix).lstrip("-")
                name = f"{label}, turn {turn}" if turn not in {"", "1"} else label
                view.add_row(name, *(_percent(step.metrics, figure) for figure, _ in FIGURES))
    return view


def where_next(*, clip: Path, picture: Path, run: Run) -> Group:
    """Commands and files to go on with."""
    lines = (
        ("the promotion's record", "mgrd model history nano      mgrd model history nano --audit"),
        ("the version", f"mgrd model show {short(run.version)}"),
        ("the claims on the spectrogram", str(picture)),
        ("the clip itself", str(clip)),
        ("the run as one page", f"mgrd run report {short(run.name)}"),
        ("your own sound", 'mgrd ask YOUR.wav "how does the pitch of the voice move ?"'),
        ("another run", "mgrd run start --watch        mgrd run start --data YOUR.jsonl --watch"),
        ("the platform", "mgrd status      mgrd logs inference -f      mgrd down"),
    )
    view = table("where to look next", "")
    for what, how in lines:
        view.add_row(what, Text(how, style="cyan"))
    return Group("", view)


def _percent(metrics: Mapping[str, float], figure: str) -> Text:
    if figure not in metrics:
        return Text()
    low, high = metrics.get(f"{figure}_low"), metrics.get(f"{figure}_high")
    interval = f" ({100 * low:.0f}–{100 * high:.0f})" if low is not None and high is not None else ""
    return Text.assemble(f"{100 * metrics[figure]:.1f} %", (interval, "dim"))
