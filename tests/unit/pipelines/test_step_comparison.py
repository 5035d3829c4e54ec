"""When the step that measures the version now behind the alias has something to measure."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mgrd.clients.errors import NotFoundError
from mgrd.clients.registry_values import Comparison, Evaluation, Gate, Requirement
from pipelines.steps.comparison import lacking

ALIAS, NEW, CURRENT = "models/m/aliases/production", "models/m/versions/4", "models/m/versions/3"
RELATIVE = Requirement("heldout", "accuracy", Comparison.AT_LEAST_CURRENT_PLUS, -0.02)
ABSOLUTE = Requirement("heldout", "accuracy", Comparison.AT_LEAST, 0.5)


@dataclass
class Found:
    version: str
    gate: Gate


@dataclass
class FakeRegistry:
    """An alias, and the data on which the version behind it was measured."""

    current: str | None = CURRENT
    requirement: Requirement = RELATIVE
    measured_on: list[tuple[str, str]] = field(default_factory=list)

    def get_alias(self, _name: str) -> Found:
        if self.current is None:
            raise NotFoundError("no such alias", reason="ALIAS_NOT_FOUND", code="NOT_FOUND")
        return Found(self.current, Gate((self.requirement,)))

    def list_evaluations(self, _name: str) -> list[Evaluation]:
        return [Evaluation(suite, {"accuracy": 0.6}, data_digest=digest) for suite, digest in self.measured_on]

    def get_version(self, name: str) -> str:
        return name


def found(registry: Any) -> object:
    return lacking(registry, ALIAS, version=NEW, data_digest="sha256:new")


@pytest.mark.parametrize(
    "measured_on",
    [[], [("heldout", "sha256:old")], [("smoke", "sha256:new")]],
    ids=["never", "old data", "other suite"],
)
def test_what_the_gate_compares_with_is_measured_on_the_runs_scenes(measured_on: list[tuple[str, str]]) -> None:
    assert found(FakeRegistry(measured_on=measured_on)) == CURRENT


@pytest.mark.parametrize(
    "registry",
    [
        FakeRegistry(current=None),
        FakeRegistry(current=""),
        FakeRegistry(current=NEW),
        FakeRegistry(requirement=ABSOLUTE),
        FakeRegistry(measured_on=[("heldout", "sha256:old"), ("heldout", "sha256:new")]),
    ],
    ids=["no alias", "points nowhere", "is the version itself", "compares nothing", "known"],
)
def test_nothing_is_measured_where_nothing_is_to_be_compared(registry: FakeRegistry) -> None:
    assert found(registry) is None
