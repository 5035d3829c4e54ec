"""From the tokens of a reply to the text of its two phases.

Pure: it knows the id that ends the reasoning and the ids that end the reply, nothing of the engine.
Marker tokens and the blank around them are dropped, so a caller sees words alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.inference.triton.protocol import End, Phase, Piece


class Token(Protocol):
    """What the engine streams; its own class has more."""

    @property
    def id(self) -> int: ...

    @property
    def logprob(self) -> float: ...

    @property
    def text_piece(self) -> str: ...


@dataclass
class PhaseTally:
    """Tokens of one phase, and the sum of their log-probabilities."""

    tokens: int = 0
    logprob: float = 0.0
    blank: bool = True

    @property
    def mean_logprob(self) -> float:
        """Mean per token; 0 without tokens."""
        return self.logprob / self.tokens if self.tokens else 0.0


@dataclass
class ReplySplitter:
    """Splits one reply; `think` says whether the prompt left the reasoning open."""

    end_think_id: int
    stop_ids: frozenset[int]
    think: bool
    reasoning: PhaseTally = field(default_factory=PhaseTally)
    answer: PhaseTally = field(default_factory=PhaseTally)

    def __post_init__(self) -> None:
        self._phase: Phase = "reasoning" if self.think else "answer"

    def feed(self, tokens: Iterable[Token]) -> Sequence[Piece]:
        """The pieces these tokens add: at most one per phase."""
        pieces: dict[Phase, list[str]] = {}
        counts: dict[Phase, int] = {}
        for token in tokens:
            if token.id in self.stop_ids:
                continue
            if self._phase == "reasoning" and token.id == self.end_think_id:
                self._phase = "answer"
                continue
            text = self._count(token)
            pieces.setdefault(self._phase, []).append(text)
            counts[self._phase] = counts.get(self._phase, 0) + 1
        joined = ((phase, "".join(texts)) for phase, texts in pieces.items())
        return tuple(Piece(phase, text, counts[phase]) for phase, text in joined if text)

    def end(self, finish_reason: str, *, engine_ms: float) -> End:
        """The end of this reply with its figures."""
        return End(
            finish_reason=finish_reason,
            reasoning_tokens=self.reasoning.tokens,
            answer_tokens=self.answer.tokens,
            answer_logprob=self.answer.mean_logprob,
            reasoning_logprob=self.reasoning.mean_logprob,
            engine_ms=engine_ms,
        )

    def _count(self, token: Token) -> str:
        """Tallies a token of the current phase; its text, without the blank a phase starts with."""
        tally = self.reasoning if self._phase == "reasoning" else self.answer
        tally.tokens += 1
        tally.logprob += token.logprob
        text = token.text_piece.lstrip() if tally.blank else token.text_piece
        tally.blank = tally.blank and not text
        return text
