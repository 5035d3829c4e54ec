"""What the orchestrator needs from outside: executors of runs, and the pipeline's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from services.orchestrator.parameters import Parameter


class ExecutorError(Exception):
    """The executor cannot be reached or refused; the supervisor tries again later."""


class Condition(StrEnum):
    """What an executor sees of a run."""

    ACTIVE = "ACTIVE"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    """Somebody stopped it there, not through us."""
    LOST = "LOST"
    """Neither at work nor ended: its process died, or the executor forgot it."""


@dataclass(frozen=True)
class Job:
    """A run as an executor knows it."""

    run_id: str
    arguments: Mapping[str, Any]
    external_id: str = ""


@dataclass(frozen=True)
class Handle:
    """Where an executor runs a job."""

    external_id: str
    external_url: str = ""


@dataclass(frozen=True)
class Observation:
    """The condition of a job, and why it failed where it did."""

    condition: Condition
    error: str = ""


class Executor(Protocol):
    """Executes runs. Every method may be repeated; each raises ExecutorError where it cannot tell or do."""

    def start(self, job: Job) -> Handle:
        """Starts the job, or goes on with it after its last finished step; a job at work is adopted, never doubled."""

    def look(self, job: Job) -> Observation:
        """What has become of the job."""

    def cancel(self, job: Job) -> None:
        """Asks the job to stop; `look` says when it has."""

    def close(self) -> None:
        """Stops what would not outlive this process in good order."""


class Catalog(Protocol):
    """The compiled pipeline's parameters."""

    def parameters(self) -> Mapping[str, Parameter]:
        """Parameters by name."""


class Store(Protocol):
    """The content store, as far as the orchestrator looks into it."""

    def exists(self, sha256: str) -> bool:
        """Whether these bytes are stored."""
