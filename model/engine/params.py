"""What a caller asks of the engine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from model.engine.errors import EngineError


@dataclass(frozen=True, eq=False)
class Request:
    """One prompt. Its sound comes as log-mel `mel_TM` (encoded here) or as frames `frames_FE` encoded before."""

    prompt_ids: Sequence[int]
    frames: Sequence[Tensor] = ()
    mels: Sequence[NDArray[np.float32]] = ()

    def __post_init__(self) -> None:
        if not self.prompt_ids:
            raise EngineError("EMPTY_PROMPT", "prompt_ids is empty: give at least one token")
        if len(self.frames) and len(self.mels):
            raise EngineError("TWO_KINDS_OF_SOUND", "a request has frames and mels: give one of them")


@dataclass(frozen=True)
class SamplingParams:
    """How tokens are chosen and when to stop. Unknown combinations are refused, never ignored."""

    max_new_tokens: int
    temperature: float = 0.7
    """0 takes the likeliest token."""
    top_k: int = 0
    """Only the k likeliest tokens; 0 is no limit."""
    top_p: float = 1.0
    """Only the likeliest tokens that together reach this probability."""
    seed: int | None = None
    """The same seed gives the same tokens whatever else is in the batch; None differs every time."""
    stop_token_ids: tuple[int, ...] = field(default=())
    """Tokens that end the reply, beside the tokenizer's end of turn."""
    min_think_tokens: int = 0
    """Reasoning may not end before."""
    max_think_tokens: int | None = None
    """Reasoning is ended by the engine after so many tokens."""

    def __post_init__(self) -> None:
        longest = math.inf if self.max_think_tokens is None else self.max_think_tokens
        for name, value, fits, rule in (
            ("max_new_tokens", self.max_new_tokens, self.max_new_tokens >= 1, "at least 1"),
            ("temperature", self.temperature, 0 <= self.temperature < math.inf, "0 or more"),
            ("top_k", self.top_k, self.top_k >= 0, "0 or more"),
            ("top_p", self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("min_think_tokens", self.min_think_tokens, self.min_think_tokens >= 0, "0 or more"),
            ("max_think_tokens", longest, longest >= self.min_think_tokens, "at least min_think_tokens"),
        ):
            if not fits:
                raise EngineError("BAD_PARAMETER", f"{name} is {value}: it must be {rule}")
