"""The exit handler's step: tells the orchestrator how the whole run ended, whatever happened before."""

from pipelines.plan import FINISH
from pipelines.steps.reporting import StepReport, orchestrator_of
from pipelines.steps.surroundings import Surroundings


def finish(*, state: str, error: str) -> None:
    """Reports SUCCEEDED, or FAILED with the pipeline's own word on it."""
    around = Surroundings.from_environment()
    orchestrator = orchestrator_of(around)
    attempt = orchestrator.next_attempt(FINISH)
    succeeded = state == "SUCCEEDED"
    orchestrator.report(
        StepReport(
            step=FINISH,
            attempt=attempt,
            sequence=0,
            state="SUCCEEDED" if succeeded else "FAILED",
            progress=1.0,
            message=f"the pipeline {state.lower()}",
            error="" if succeeded else (error or f"the pipeline ended as {state}"),
        ),
        must_arrive=True,
    )
