"""Figures of an evaluation, from hand-made rollouts and from a model that is asked."""

import pytest

from model.acoustics.verification import Evidence
from model.engine.engine import Engine
from model.evaluation.claims import ClaimScore
from model.evaluation.heldout import Answers, Heldout, ask_all, by_group, figures
from model.evaluation.intervals import wilson
from model.learning.rollouts import Rollout
from tests.unit.learning.tiny import example, rollout, tiny_model, tiny_tokenizer

CONTRADICTORY = example(contradictory=True)


def answers(**changed: object) -> Answers:
    think = [
        rollout(tokens=10),
        rollout(tokens=20),
        rollout("sad", tokens=30, of=CONTRADICTORY),
        rollout(tokens=40, of=CONTRADICTORY, finished=False),
    ]
    parts: dict[str, object] = {
        "think": think,
        "direct": [rollout(tokens=0), rollout("sad"), rollout("sad"), rollout("sad")],
        "silent": [rollout("sad")] * 4,
        "text": [rollout(of=example(sound=()))] * 2,
        "claims": ClaimScore(chains=4, acoustic_chains=2, supported=3, contradicted=1, not_checkable=4),
    }
    return Answers(**{**parts, **changed})


def test_figures_by_hand() -> None:
    found = figures(answers())
    assert found["accuracy_think"] == 0.75
    assert (found["accuracy_think_low"], found["accuracy_think_high"]) == wilson(3, 4)
    assert found["accuracy_direct"] == 0.25
    assert found["accuracy_silent"] == 0.0
    assert found["accuracy_contradictory"] == 0.5
    assert found["accuracy_text"] == 1.0
    assert found["think_tokens"] == 25
    assert found["unfinished"] == 0.25
    assert (found["claims_supported"], found["claims_checkable"], found["acoustic_chains"]) == (0.75, 0.5, 0.5)


def test_an_unclosed_block_is_no_answer() -> None:
    found = figures(answers(think=[rollout(closed=False), rollout()]))
    assert found["accuracy_think"] == 0.5


def test_no_rows_are_no_division_and_claim_nothing() -> None:
    found = figures(answers(think=[], direct=[], silent=[], text=[], claims=ClaimScore()))
    assert (found["accuracy_think"], found["accuracy_think_low"], found["accuracy_think_high"]) == (0.0, 0.0, 1.0)
    assert "accuracy_text" not in found


def test_groups_are_sorted_with_their_counts() -> None:
    mood, pace = example(kind="mood"), example(kind="pace")
    found = by_group([rollout(of=pace), rollout("sad", of=mood), rollout(of=mood)], lambda one: one.kind)
    assert list(found) == ["mood", "pace"]
    assert found["mood"] == {"accuracy": 0.5, "questions": 2}
    assert found["pace"] == {"accuracy": 1.0, "questions": 1}


def test_every_question_is_asked_under_every_condition_and_measured_on_its_own_clip() -> None:
    measured: list[tuple[int, str]] = []

    def measure(i: int, reasoning: str) -> list[Evidence]:
        measured.append((i, reasoning))
        return []

    heard, silent, text = [example(seed=i) for i in range(3)], [example(seed=9)] * 3, [example(sound=())]
    engine = Engine(tiny_model(), tiny_tokenizer())

    def asked() -> Answers:
        return ask_all(engine, Heldout(heard, silent, text, measure), max_new_tokens=8)

    first = asked()
    parts: list[list[Rollout]] = [first.think, first.direct, first.silent, first.text]
    assert [len(part) for part in parts] == [3, 3, 3, 1]
    assert [one.example for one in first.think] == heard
    assert [i for i, _ in measured] == [0, 1, 2]
    assert [reasoning for _, reasoning in measured] == [one.reasoning for one in first.think]
    assert all(one.reasoning == "" for one in first.direct)
    again = asked()
    assert [one.row.response_ids for one in again.think] == [one.row.response_ids for one in first.think]


@pytest.mark.parametrize("name", ["accuracy_think", "accuracy_direct", "accuracy_silent", "accuracy_contradictory"])
def test_shares_come_with_their_interval(name: str) -> None:
    found = figures(answers())
    assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]
