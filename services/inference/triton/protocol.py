"""What gateway and backend say to each other: one question in, a stream of events out.

Both sides import this file and nothing else of each other. A question travels as JSON in the
tensor REQUEST with the clip's log-mel frames beside it; each event is JSON in one EVENT tensor.
An event carries text for people and counts for the bill, never token ids or tensors.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

REQUEST, MEL, CHUNK_FRAMES, EVENT = "REQUEST", "MEL", "CHUNK_FRAMES", "EVENT"
MEL_BANDS = 128

Phase = Literal["reasoning", "answer"]


@dataclass(frozen=True)
class Ask:
    """A question, and how its answer is to be drawn; None takes the backend's default."""

    question: str
    choices: tuple[str, ...] = ()
    think: bool = True
    max_new_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_think_tokens: int | None = None

    def to_json(self) -> bytes:
        """UTF-8 JSON with the set fields alone."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(fields, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The question in `data`; an unknown field is an error, never ignored."""
        fields: dict[str, Any] = json.loads(data)
        unknown = sorted(set(fields) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown request fields {unknown}: gateway and backend differ in release")
        return cls(**{**fields, "choices": tuple(fields.get("choices", ()))})


@dataclass(frozen=True)
class MelFrames:
    """Log-mel frames of a clip: float32 little-endian rows of 128 bands, chunk after chunk."""

    values: bytes = b""
    chunk_frames: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        expected = sum(self.chunk_frames) * MEL_BANDS * 4
        if len(self.values) != expected:
            raise ValueError(
                f"{len(self.values)} bytes of log-mel for chunks of {self.chunk_frames} frames; {expected} expected"
            )


@dataclass(frozen=True)
class Piece:
    """Text that has come since the last event, of one phase."""

    phase: Phase
    text: str
    tokens: int


@dataclass(frozen=True)
class End:
    """How the reply ended. Log-probabilities are means per token; 0 where there was none."""

    finish_reason: str
    reasoning_tokens: int
    answer_tokens: int
    answer_logprob: float = 0.0
    reasoning_logprob: float = 0.0
    engine_ms: float = 0.0


@dataclass(frozen=True)
class Event:
    """One message of the stream: pieces of text, and the end in the last one."""

    pieces: tuple[Piece, ...] = ()
    end: End | None = field(default=None)

    def to_json(self) -> bytes:
        """UTF-8 JSON, short keys: this is sent once per token."""
        body: dict[str, Any] = {}
        if self.pieces:
            body["p"] = [(piece.phase, piece.text, piece.tokens) for piece in self.pieces]
        if self.end is not None:
            body["end"] = asdict(self.end)
        return json.dumps(body, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The event in `data`."""
        body = json.loads(data)
        pieces = tuple(Piece(phase, text, tokens) for phase, text, tokens in body.get("p", ()))
        return cls(pieces=pieces, end=End(**body["end"]) if "end" in body else None)
