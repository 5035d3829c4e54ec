"""What the engine gives back."""

from dataclasses import dataclass
from enum import StrEnum


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Token:
    """One token as it is chosen; the text pieces of a completion join to its text."""

    id: int
    logprob: float
    text_piece: str
    index: int


@dataclass(frozen=True)
class Completion:
    """One finished reply, its stop token included in ids and log-probabilities but not in the text."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    """Under the model's distribution at the temperature used (at 1 where that was 0), before any truncation."""
    finish_reason: FinishReason
    text: str
    forced: frozenset[int] = frozenset()
    """Indices of tokens the engine put there to end the reasoning: not the policy's choice."""


@dataclass(frozen=True)
class Group:
    """All completions of one prompt."""

    prompt_ids: tuple[int, ...]
    completions: tuple[Completion, ...]
