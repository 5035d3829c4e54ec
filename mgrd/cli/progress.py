"""A run as it goes on: one bar per step, with a line that says why the step exists."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from mgrd.cli.output import Output
from mgrd.clients.training import Run, Step, StepState

WHY = {
    "announce": "tells the platform what the run is, whoever started it",
    "prepare": "lays out the scenes the model learns from and those it is judged by",
    "evaluate-base": "measures where the model stands before it learns",
    "cold-start": "answers directly where sound is asked about, reasons where text is: what the loop starts from",
    "text-rl": "reinforcement on text questions whose answers can be checked",
    "distil": "the model reasons about what it hears; only chains whose claims the sound bears out are kept",
    "finetune": "the model learns from its own grounded chains, with text reasoning beside them",
    "evaluate-distilled": "measures what distillation brought",
    "reinforce": "reinforcement on questions of middling difficulty; reward for right answers in the right form",
    "evaluate-reinforced": "measures what reinforcement brought",
    "gain": "what the turn brought on scenes that nothing is reported on; no gain ends the loop",
    "align": "the model learns to prefer answers that know whether it hears",
    "evaluate-aligned": "measures what that did",
    "register": "the checkpoint becomes an immutable version with its lineage, and the candidate",
    "evaluate-current": "measures what the gate compares with, which is behind the alias now, on the same scenes",
    "ask": "the candidate is loaded into Triton and asked a held-out question",
    "promote": "the result goes behind its alias, or waits until people have approved it",
    "finish": "says how the run ended",
}
"""Why a step exists, by its name without the number of the turn."""
_DONE = {StepState.SUCCEEDED, StepState.CACHED}


def why(step: str) -> str:
    """What the step is for; empty for one that is not known."""
    return WHY.get(step) or WHY.get(step.rpartition("-")[0], "")


def watch_to_the_end(output: Output, changes: Iterable[Run]) -> Run:
    """Shows every change of a run; returns it as it ended."""
    last: Run | None = None
    with _bars(output) as bars:
        for last in changes:
            if output.as_json:
                output.show(last, view="")
            else:
                bars.update(last)
    if last is None:
        raise RuntimeError("a watched run sent nothing")
    return last


class StepBars:
    """Progress bars that follow a run's steps."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def update(self, run: Run) -> None:
        """Brings the bars up to what the run says."""
        latest = {step.name: step for step in run.steps}  # a later attempt replaces an earlier one
        for step in latest.values():
            if step.name not in self._tasks:
                self._announce(step)
            self._advance(step)

    def _announce(self, step: Step) -> None:
        if reason := why(step.name):
            self._progress.console.print(Text.assemble((step.name, "bold"), " ", (reason, "dim")))
        self._tasks[step.name] = self._progress.add_task(step.name, total=1.0, message="")

    def _advance(self, step: Step) -> None:
        task = self._tasks[step.name]
        done = step.state in _DONE
        message = f"[red]{escape(step.error)}[/]" if step.error else escape(step.message)
        if step.state is StepState.CACHED:
            message = f"taken from an earlier attempt: {message}"
        self._progress.update(task, completed=1.0 if done else step.progress, message=message)
        if done or step.state is StepState.FAILED:
            self._progress.stop_task(task)


@contextmanager
def _bars(output: Output) -> Iterator[StepBars]:
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(min_width=22, no_wrap=True)),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f}%", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
        TextColumn("[dim]{task.fields[message]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=output.console, disable=output.as_json, expand=True) as progress:
        yield StepBars(progress)
