"""The step that promotes: at once, after people did, or not at all."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mgrd.clients.errors import FailedPreconditionError, NotFoundError, PermissionDeniedError, Violation
from pipelines.errors import Cancelled, PipelineError
from pipelines.steps.promotion import await_people, moved

ALIAS, VERSION = "models/m/aliases/production", "models/m/versions/4"


@dataclass
class Behind:
    version: str


@dataclass
class FakeRegistry:
    """An alias that people move after so many looks; `refuses` is what promoting raises."""

    refuses: Exception | None = None
    moved_after: int = 10**9
    elsewhere_after: int = 10**9
    exists: bool = True
    promotions: list[dict[str, str]] = field(default_factory=list)
    looks: int = 0

    def promote(self, alias: str, **wanted: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.promotions.append({"alias": alias, **wanted})

    def get_alias(self, _name: str) -> Behind:
        self.looks += 1
        if not self.exists:
            raise NotFoundError("no such alias", reason="ALIAS_NOT_FOUND", code="NOT_FOUND")
        if self.looks > self.elsewhere_after:
            return Behind("models/m/versions/5")
        return Behind(VERSION if self.looks > self.moved_after else "models/m/versions/3")


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


def awaited(registry: Any, *, timeout_s: float = 60, progress: Any = lambda _part, _words: None) -> Time:
    time = Time()
    await_people(
        registry,
        ALIAS,
        version=VERSION,
        run="r",
        timeout_s=timeout_s,
        progress=progress,
        clock=time.clock,
        wait=time.wait,
    )
    return time


def test_an_alias_without_approvals_is_moved_at_once() -> None:
    registry: Any = FakeRegistry()
    assert moved(registry, ALIAS, version=VERSION, run="r")
    assert moved(registry, ALIAS, version=VERSION, run="r")
    first, second = registry.promotions
    assert first == second  # one request id: a retried step promotes once
    assert first["version"] == VERSION


def test_an_alias_that_asks_for_approvals_is_left_to_people() -> None:
    refusal = PermissionDeniedError("only people", reason="PROTECTED_ALIAS", code="PERMISSION_DENIED")
    registry: Any = FakeRegistry(refuses=refusal)
    assert not moved(registry, ALIAS, version=VERSION, run="r")


def not_met(*kinds: str) -> FailedPreconditionError:
    found = tuple(Violation("heldout.accuracy", f"{kind} it is", kind) for kind in kinds)
    return FailedPreconditionError("no", reason="GATE_NOT_MET", code="FAILED_PRECONDITION", violations=found)


def test_a_version_that_lacks_approvals_alone_waits_for_people() -> None:
    registry: Any = FakeRegistry(refuses=not_met("APPROVALS"))
    assert not moved(registry, ALIAS, version=VERSION, run="r")


def test_a_version_that_no_approval_helps_fails_with_what_it_lacks_and_the_way_on() -> None:
    registry: Any = FakeRegistry(refuses=not_met("APPROVALS", "NOT_COMPARABLE", "THRESHOLD"))
    with pytest.raises(PipelineError) as caught:
        moved(registry, ALIAS, version=VERSION, run="r")
    assert (caught.value.reason, caught.value.permanent) == ("GATE_NOT_MET", True)
    said = str(caught.value)
    assert "NOT_COMPARABLE it is; heldout.accuracy: THRESHOLD it is" in said
    assert "APPROVALS" not in said
    assert "mgrd promote m/4 --dry-run" in said
    assert "mgrd run resume r" in said


def test_a_waiting_step_asks_the_gate_again_when_the_alias_moves_elsewhere() -> None:
    registry = FakeRegistry(refuses=not_met("THRESHOLD"), elsewhere_after=2)
    with pytest.raises(PipelineError, match="THRESHOLD it is"):
        awaited(registry)
    assert registry.looks == 3


@pytest.mark.parametrize(
    "refusal",
    [
        FailedPreconditionError("too many", reason="TOO_MANY_CANDIDATES", code="FAILED_PRECONDITION"),
        PermissionDeniedError("no role", reason="ROLE_MISSING", code="PERMISSION_DENIED"),
    ],
    ids=lambda refusal: refusal.reason,
)
def test_another_refusal_fails_the_step(refusal: Exception) -> None:
    registry: Any = FakeRegistry(refuses=refusal)
    with pytest.raises(type(refusal)):
        moved(registry, ALIAS, version=VERSION, run="r")


def test_the_step_goes_on_when_somebody_has_promoted() -> None:
    said: list[str] = []
    awaited(FakeRegistry(moved_after=3), progress=lambda _part, words: said.append(words))
    assert len(said) == 2
    assert "mgrd approve m/4 --alias production --promote" in said[0]


@pytest.mark.parametrize("exists", [True, False])
def test_nobody_in_time_fails_the_step_and_names_the_way_out(exists: bool) -> None:
    with pytest.raises(PipelineError, match=r"nobody promoted m/4 .* within 60 s.*mgrd approve m/4") as caught:
        awaited(FakeRegistry(exists=exists))
    assert caught.value.reason == "NOT_APPROVED"


def test_a_cancelled_run_stops_waiting() -> None:
    def cancelled(_part: float, _words: str) -> None:
        raise Cancelled("the run is being cancelled")

    with pytest.raises(Cancelled):
        awaited(FakeRegistry(), progress=cancelled)
