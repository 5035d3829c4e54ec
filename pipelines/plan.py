"""Which steps a run of the pipeline has, in order, and what share of the time each takes.

Promises the names that the steps report under. Standard library only: the orchestrator reads it for progress and
ETA. Leaves what a step does to `pipelines.steps`.
"""

from dataclasses import dataclass

MAX_ITERATIONS = 3
FINISH = "finish"
"""The exit handler's step; its report says how the whole run ended."""
KUBEFLOW_PREFIX = "kfp-"
"""Id of a run that was started in Kubeflow: this and its id there."""


@dataclass(frozen=True)
class PlannedStep:
    """A step that a run will have."""

    name: str
    weight: float
    """Share of a run's time, relative to the other steps."""


def planned_steps(iterations: int) -> tuple[PlannedStep, ...]:
    """The steps of a run with this many turns of the loop, in the order they run."""
    turns = (step for turn in range(1, iterations + 1) for step in _turn(turn))
    return (
        PlannedStep("prepare", 1.0),
        PlannedStep("evaluate-base", 1.0),
        *turns,
        PlannedStep("register", 0.1),
        PlannedStep("ask", 0.3),
    )


def _turn(turn: int) -> tuple[PlannedStep, ...]:
    return (
        PlannedStep(f"distil-{turn}", 2.0),
        PlannedStep(f"finetune-{turn}", 2.0),
        PlannedStep(f"evaluate-distilled-{turn}", 1.0),
        PlannedStep(f"reinforce-{turn}", 4.0),
        PlannedStep(f"evaluate-reinforced-{turn}", 1.0),
    )
