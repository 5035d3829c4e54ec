"""Perception-grounded questions: kept where the answer hangs on the sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from transformers import PreTrainedTokenizerFast

from model.distillation.rows import Row
from model.distillation.selection import changes_with_sound, is_grounded
from model.engine.params import Request, SamplingParams
from model.engine.results import Completion, FinishReason, Group
from tests.unit.learning.tiny import example, tiny_tokenizer


@dataclass
class HearingEngine:
    """Says "high" where a clip is loud, "low" where it is silent, and counts what it was asked."""

    tokenizer: PreTrainedTokenizerFast
    asked: int = 0

    def generate(self, requests: Sequence[Request], params: SamplingParams, *, n: int = 1) -> list[Group]:
        assert params.temperature == 0
        self.asked += len(requests)
        return [self._group("high" if r.frames and r.frames[0].abs().sum() > 0 else "low") for r in requests]

    def _group(self, text: str) -> Group:
        ids = tuple(self.tokenizer.encode(text, add_special_tokens=False))
        return Group((), (Completion(ids, (0.0,) * len(ids), FinishReason.STOP, text),))


@pytest.mark.parametrize(("after", "changes"), [("low", True), ("High .", False), (None, None)])
def test_a_known_edit_decides(after: str | None, *, changes: bool | None) -> None:
    assert changes_with_sound(Row("q", "high", counterfactual_answer=after)) is changes


def test_the_model_is_asked_only_where_no_edit_is_known() -> None:
    engine = HearingEngine(tiny_tokenizer())
    heard = [example() for _ in range(4)]
    silent = [example() for _ in range(4)]
    for one in silent[:3]:
        one.audio[0].zero_()
    rows = [Row("q", "high", counterfactual_answer=after) for after in (None, "low", "high", None)]
    assert is_grounded(engine, rows, heard, silent) == [True, True, False, False]
    assert engine.asked == 4


def test_no_rows_ask_nothing() -> None:
    engine = HearingEngine(tiny_tokenizer())
    assert is_grounded(engine, [], [], []) == []
    assert engine.asked == 0
