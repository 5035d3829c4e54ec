"""Gates: what an alias demands of a version, and everything a version lacks for it.

`violations` promises to list every lack at once, never just the first, and reads nothing but its
arguments. Three decisions: the newest evaluation that counts decides, so a worse result cannot hide
behind an older one; a relative demand compares only results on the same data; an approval by anyone
who registered the version does not count, whenever they registered it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from services.kit.errors import Violation
from services.registry.domain.versions import VersionState

SMOKE_SUITE = "smoke"
SMOKE_METRIC = "passed"


class Comparison(StrEnum):
    """How a metric is held against its threshold."""

    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"
    AT_LEAST_CURRENT_PLUS = "AT_LEAST_CURRENT_PLUS"


@dataclass(frozen=True)
class Requirement:
    """One demand on a metric. No evaluators named means any service account."""

    suite: str
    metric: str
    comparison: Comparison
    threshold: float
    evaluators: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What a violation of it is about."""
        return f"{self.suite}.{self.metric}"


@dataclass(frozen=True)
class Gate:
    """All an alias demands. The empty gate lets every active version through."""

    requirements: tuple[Requirement, ...] = ()
    approvals: int = 0
    smoke_required: bool = False

    @property
    def is_protected(self) -> bool:
        """Whether people have to agree before the alias moves."""
        return self.approvals > 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; an unknown key is an error."""
        requirements = tuple(
            Requirement(
                **{
                    **each,
                    "comparison": Comparison(each["comparison"]),
                    "evaluators": tuple(each.get("evaluators", ())),
                }
            )
            for each in values.get("requirements", ())
        )
        return cls(**{**values, "requirements": requirements})


@dataclass(frozen=True)
class Evaluation:
    """A measured result of a version; who measured it is the caller, never the body."""

    id: int
    model: str
    number: int
    suite: str
    metrics: Mapping[str, float]
    data_digest: str
    evaluator: str
    by_service: bool
    create_time: datetime

    @property
    def name(self) -> str:
        """The resource name."""
        return f"models/{self.model}/versions/{self.number}/evaluations/{self.id}"


@dataclass(frozen=True)
class Dossier:
    """All that is known of a version when an alias is asked to take it.

    evaluations and current_evaluations are newest first; the latter are None where the alias
    points nowhere yet.
    """

    version: str
    state: VersionState
    authors: frozenset[str]
    approvers: Sequence[str] = ()
    evaluations: Sequence[Evaluation] = ()
    current_evaluations: Sequence[Evaluation] | None = None


def violations(gate: Gate, dossier: Dossier) -> tuple[Violation, ...]:
    """Everything that keeps the version from passing the gate; empty when it passes."""
    found = [_state(dossier)]
    found += [_requirement(each, dossier) for each in gate.requirements]
    found += [_smoke(gate, dossier), _approvals(gate, dossier)]
    return tuple(each for each in found if each is not None)


def counting_approvers(dossier: Dossier) -> tuple[str, ...]:
    """Who approved and may: each once, nobody who registered the version."""
    return tuple(sorted(set(dossier.approvers) - dossier.authors))


def _state(dossier: Dossier) -> Violation | None:
    if dossier.state is VersionState.ACTIVE:
        return None
    return Violation(
        "VERSION_STATE",
        dossier.version,
        f"{dossier.version} is {dossier.state}; only an ACTIVE version can be promoted",
    )


def _requirement(demand: Requirement, dossier: Dossier) -> Violation | None:
    result = _newest(dossier.evaluations, demand, counts=lambda _: True)
    if result is None:
        return Violation("EVALUATION_MISSING", demand.subject, _missing_text(demand, dossier))
    value = result.metrics.get(demand.metric, math.nan)
    if math.isnan(value):
        return Violation(
            "METRIC_MISSING",
            demand.subject,
            f"the newest evaluation of suite {demand.suite!r} does not hold {demand.metric!r}; record one that does",
        )
    if demand.comparison is Comparison.AT_LEAST_CURRENT_PLUS:
        return _relative(demand, dossier, value=value, data_digest=result.data_digest)
    return _absolute(demand, value)


def _missing_text(demand: Requirement, dossier: Dossier) -> str:
    trusted = ", ".join(demand.evaluators) or "any service account"
    others = sum(each.suite == demand.suite for each in dossier.evaluations)
    ignored = f" ({others} by others do not count)" if others else ""
    return (
        f"no evaluation of suite {demand.suite!r} by {trusted}{ignored}; "
        f"evaluate {dossier.version} and record the result"
    )


def _absolute(demand: Requirement, value: float) -> Violation | None:
    at_least = demand.comparison is Comparison.AT_LEAST
    if value >= demand.threshold if at_least else value <= demand.threshold:
        return None
    word = "below" if at_least else "above"
    return Violation("THRESHOLD", demand.subject, f"{value:.6g} is {word} the demanded {demand.threshold:.6g}")


def _relative(demand: Requirement, dossier: Dossier, *, value: float, data_digest: str) -> Violation | None:
    if dossier.current_evaluations is None:
        return None
    current = _newest(
        dossier.current_evaluations,
        demand,
        counts=lambda each: each.data_digest == data_digest and demand.metric in each.metrics,
    )
    if current is None:
        return Violation(
            "NOT_COMPARABLE",
            demand.subject,
            f"the current version has no {demand.subject} on the same data "
            f"({data_digest or 'no data digest'}); evaluate it on that data too",
        )
    floor = current.metrics[demand.metric] + demand.threshold
    if value >= floor:
        return None
    return Violation(
        "THRESHOLD",
        demand.subject,
        f"{value:.6g} is below {floor:.6g}, the current version's "
        f"{current.metrics[demand.metric]:.6g} {demand.threshold:+.6g}",
    )


def _newest(
    evaluations: Sequence[Evaluation],
    demand: Requirement,
    *,
    counts: Callable[[Evaluation], bool],
) -> Evaluation | None:
    return next(
        (each for each in evaluations if each.suite == demand.suite and _is_permitted(each, demand) and counts(each)),
        None,
    )


def _is_permitted(evaluation: Evaluation, demand: Requirement) -> bool:
    if demand.evaluators:
        return evaluation.evaluator in demand.evaluators
    return evaluation.by_service


_SMOKE = Requirement(SMOKE_SUITE, SMOKE_METRIC, Comparison.AT_LEAST, 1.0)


def _smoke(gate: Gate, dossier: Dossier) -> Violation | None:
    if not gate.smoke_required:
        return None
    newest = _newest(dossier.evaluations, _SMOKE, counts=lambda _: True)
    if newest is not None and newest.metrics.get(SMOKE_METRIC, 0.0) >= 1.0:
        return None
    told = "has not been proved by a real request yet" if newest is None else "failed its proof"
    return Violation(
        "SMOKE",
        SMOKE_SUITE,
        f"{dossier.version} {told}; point `candidate` at it and wait for the serving agent",
    )


def _approvals(gate: Gate, dossier: Dossier) -> Violation | None:
    counted = counting_approvers(dossier)
    if len(counted) >= gate.approvals:
        return None
    return Violation(
        "APPROVALS",
        dossier.version,
        f"{len(counted)} of {gate.approvals} approvals by people other than its authors "
        f"({', '.join(sorted(dossier.authors))}); approvals given before the gate changed or "
        "before a rollback from this version do not count",
    )
