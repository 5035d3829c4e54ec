"""Runs on Kubeflow, as the orchestrator's executor port wants them."""

from pathlib import Path
from typing import Self

from pipelines.runners.kubeflow import KubeflowError, KubeflowRun, KubeflowRunner
from services.orchestrator.ports import Condition, ExecutorError, Handle, Job, Observation

_STOPPED = "CANCELED"
_ENDED_BADLY = frozenset({"FAILED", _STOPPED})
_ENDED_WELL = frozenset({"SUCCEEDED", "SKIPPED"})


class KubeflowExecutor:
    """Executes runs as runs of Kubeflow Pipelines that carry the same id as their name."""

    def __init__(self, runner: KubeflowRunner) -> None:
        self._runner = runner

    @classmethod
    def connect(cls, addr: str, *, template: Path, ui: str, namespace: str, service_account: str = "") -> Self:
        """The executor for the API at `addr`."""
        return cls(KubeflowRunner(addr, template=template, namespace=namespace, ui=ui, service_account=service_account))

    def start(self, job: Job) -> Handle:
        """Creates the run, adopts the one there is, or goes on with it where it has ended badly."""
        try:
            known = self._runner.get(job.external_id) if job.external_id else None
            run = known or self._runner.ensure(job.run_id, job.arguments)
            if run.state in _ENDED_BADLY:
                self._runner.retry(run.id)
        except KubeflowError as error:
            raise ExecutorError(str(error)) from error
        return Handle(external_id=run.id, external_url=self._runner.page(run.id))

    def look(self, job: Job) -> Observation:
        """KFP's state of the run."""
        try:
            run = self._runner.get(job.external_id) if job.external_id else self._runner.find(job.run_id)
        except KubeflowError as error:
            raise ExecutorError(str(error)) from error
        return Observation(Condition.LOST) if run is None else _observed(run)

    def cancel(self, job: Job) -> None:
        """Terminates the run."""
        try:
            run = self._runner.get(job.external_id)
            if run is not None and run.state not in _ENDED_BADLY | _ENDED_WELL | {"CANCELING"}:
                self._runner.terminate(run.id)
        except KubeflowError as error:
            raise ExecutorError(str(error)) from error

    def close(self) -> None:
        """Nothing: runs on Kubeflow do not depend on this process."""


def _observed(run: KubeflowRun) -> Observation:
    if run.state in _ENDED_WELL:
        return Observation(Condition.SUCCEEDED)
    if run.state == _STOPPED:
        return Observation(Condition.CANCELLED)
    if run.state in _ENDED_BADLY:
        return Observation(Condition.FAILED, error=run.error or f"Kubeflow reports the run as {run.state}")
    return Observation(Condition.ACTIVE)
