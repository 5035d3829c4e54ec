"""Tokens to phases: words alone reach the caller, counted by phase."""

from dataclasses import dataclass

import pytest

from services.inference.triton.backend.reply import ReplySplitter
from services.inference.triton.protocol import Piece

END_THINK, STOP = 7, 2


@dataclass(frozen=True)
class Token:
    id: int
    text_piece: str
    logprob: float = -0.5


def splitter(*, think: bool = True) -> ReplySplitter:
    return ReplySplitter(end_think_id=END_THINK, stop_ids=frozenset({STOP}), think=think)


REPLY = [
    Token(20, "\n"), Token(21, "the"), Token(22, " pitch"), Token(20, "\n"), Token(END_THINK, "</think>"),
    Token(20, "\n"), Token(23, "rise"), Token(STOP, ""),
]  # fmt: skip


def test_a_reply_in_one_go_gives_one_piece_per_phase() -> None:
    assert splitter().feed(REPLY) == (Piece("reasoning", "the pitch\n", 4), Piece("answer", "rise", 2))


def test_token_by_token_gives_the_same_text_and_counts() -> None:
    whole = splitter()
    pieces = [piece for token in REPLY for piece in whole.feed([token])]
    assert "".join(piece.text for piece in pieces if piece.phase == "reasoning") == "the pitch\n"
    assert "".join(piece.text for piece in pieces if piece.phase == "answer") == "rise"
    assert (whole.reasoning.tokens, whole.answer.tokens) == (4, 2)


def test_without_thinking_everything_is_answer() -> None:
    assert splitter(think=False).feed([Token(23, " fall"), Token(STOP, "")]) == (Piece("answer", "fall", 1),)


def test_a_second_end_of_thinking_is_text_of_the_answer() -> None:
    pieces = splitter().feed([Token(END_THINK, "</think>"), Token(23, "a"), Token(END_THINK, "</think>")])
    assert pieces == (Piece("answer", "a</think>", 2),)


def test_the_end_has_counts_and_mean_log_probabilities() -> None:
    whole = splitter()
    whole.feed(REPLY)
    end = whole.end("stop", engine_ms=3.0)
    assert (end.finish_reason, end.reasoning_tokens, end.answer_tokens) == ("stop", 4, 2)
    assert end.answer_logprob == pytest.approx(-0.5)
    assert splitter().end("length", engine_ms=0.0).answer_logprob == 0.0
