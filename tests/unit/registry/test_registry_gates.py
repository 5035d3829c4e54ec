"""Gates: every lack is listed, and only what counts is counted."""

from datetime import UTC, datetime

import pytest

from services.registry.domain.gates import Comparison, Dossier, Evaluation, Gate, Requirement, violations
from services.registry.domain.versions import VersionState

VERSION = "models/nano/versions/2"
ACCURACY = Requirement("heldout", "accuracy", Comparison.AT_LEAST_CURRENT_PLUS, -0.02)
CLAIMS = Requirement("heldout", "claims_supported", Comparison.AT_LEAST, 0.7)
GATE = Gate(requirements=(ACCURACY, CLAIMS), approvals=1, smoke_required=True)


def evaluation(suite="heldout", *, id=1, data="d1", evaluator="trainer", by_service=True, **metrics):
    return Evaluation(
        id=id,
        model="nano",
        number=2,
        suite=suite,
        metrics=metrics,
        data_digest=data,
        evaluator=evaluator,
        by_service=by_service,
        create_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


def dossier(**changes):
    values = {
        "version": VERSION,
        "state": VersionState.ACTIVE,
        "authors": frozenset({"ana"}),
        "approvers": ("ben",),
        "evaluations": (evaluation(accuracy=0.8, claims_supported=0.9), evaluation("smoke", passed=1.0)),
        "current_evaluations": None,
    }
    return Dossier(**(values | changes))


def types(gate, **changes):
    return [each.type for each in violations(gate, dossier(**changes))]


def test_a_version_with_everything_passes():
    assert types(GATE) == []


def test_every_lack_is_listed_at_once():
    found = types(GATE, state=VersionState.ARCHIVED, approvers=(), evaluations=())
    assert found == ["VERSION_STATE", "EVALUATION_MISSING", "EVALUATION_MISSING", "SMOKE", "APPROVALS"]


def test_the_empty_gate_asks_only_for_an_active_version():
    assert types(Gate(), approvers=(), evaluations=()) == []
    assert types(Gate(), state=VersionState.DELETED) == ["VERSION_STATE"]


@pytest.mark.parametrize(
    ("comparison", "value", "passes"),
    [
        (Comparison.AT_LEAST, 0.7, True),
        (Comparison.AT_LEAST, 0.6999, False),
        (Comparison.AT_MOST, 0.7, True),
        (Comparison.AT_MOST, 0.7001, False),
    ],
)
def test_thresholds_are_inclusive(comparison, value, passes):
    gate = Gate(requirements=(Requirement("s", "m", comparison, 0.7),))
    assert types(gate, evaluations=(evaluation("s", m=value),)) == ([] if passes else ["THRESHOLD"])


@pytest.mark.parametrize(("value", "passes"), [(0.79, True), (0.78, True), (0.7799, False)])
def test_a_relative_demand_is_held_against_the_current_version(value, passes):
    current = (evaluation(accuracy=0.80),)
    found = types(Gate((ACCURACY,)), evaluations=(evaluation(accuracy=value),), current_evaluations=current)
    assert found == ([] if passes else ["THRESHOLD"])


def test_results_on_other_data_are_not_compared():
    current = (evaluation(data="other", accuracy=0.1),)
    found = types(Gate((ACCURACY,)), evaluations=(evaluation(accuracy=0.8),), current_evaluations=current)
    assert found == ["NOT_COMPARABLE"]


def test_the_newest_counting_evaluation_decides():
    newest_first = (evaluation(claims_supported=0.1), evaluation(claims_supported=0.9))
    assert types(Gate((CLAIMS,)), evaluations=newest_first) == ["THRESHOLD"]
    assert types(Gate((CLAIMS,)), evaluations=newest_first[::-1]) == []


def test_an_evaluation_without_the_metric_or_with_nan_does_not_pass():
    assert types(Gate((CLAIMS,)), evaluations=(evaluation(accuracy=1.0),)) == ["METRIC_MISSING"]
    assert types(Gate((CLAIMS,)), evaluations=(evaluation(claims_supported=float("nan")),)) == ["METRIC_MISSING"]


def test_a_person_s_evaluation_counts_only_where_the_gate_names_the_person():
    by_ana = (evaluation(evaluator="ana", by_service=False, claims_supported=1.0),)
    named = Requirement("heldout", "claims_supported", Comparison.AT_LEAST, 0.7, evaluators=("ana",))
    assert types(Gate((CLAIMS,)), evaluations=by_ana) == ["EVALUATION_MISSING"]
    assert types(Gate((named,)), evaluations=by_ana) == []
    assert types(Gate((named,)), evaluations=(evaluation(claims_supported=1.0),)) == ["EVALUATION_MISSING"]


@pytest.mark.parametrize("smoke", [(), (evaluation("smoke", passed=0.0),), (evaluation("smoke"),)])
def test_a_failed_or_missing_proof_holds_it_back(smoke):
    assert types(Gate(smoke_required=True), evaluations=smoke) == ["SMOKE"]


@pytest.mark.parametrize(
    ("approvers", "passes"), [(("ana", "ben"), False), (("ben", "ben"), False), (("ben", "cem"), True)]
)
def test_approvals_count_once_each_and_never_an_author_s(approvers, passes):
    assert types(Gate(approvals=2), approvers=approvers) == ([] if passes else ["APPROVALS"])


def test_a_gate_survives_json():
    assert Gate.from_dict(GATE.to_dict()) == GATE


def test_an_unknown_option_of_a_gate_is_an_error():
    with pytest.raises(TypeError, match="canary"):
        Gate.from_dict({"canary": 0.1})
