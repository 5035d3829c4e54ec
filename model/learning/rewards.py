"""Rewards of one response (paper eq 2 and eq 6-7).

Text:  R = 1[a = a*].
Audio: R = 0.8 * 1[a = a*] + 0.2 * 1[reasoning present].

Deviations: (1) "reasoning present" has a stated minimum, `min_reasoning_tokens`, and asks that the
block is closed, so an empty gesture earns nothing; the paper gives no minimum.
"""

from dataclasses import dataclass

from model.learning.answers import is_correct

MIN_REASONING_TOKENS = 6
"""Less than this is no reasoning, in rewards, evaluation and serving alike."""


@dataclass(frozen=True)
class RewardConfig:
    """Weights of the audio reward."""

    correct: float = 0.8
    """Share earned by a right answer."""
    reasoning: float = 0.2
    """Share earned by reasoning that is present."""
    min_reasoning_tokens: int = MIN_REASONING_TOKENS
    """Fewer tokens than this do not count as reasoning."""


@dataclass(frozen=True)
class Response:
    """What a reward looks at."""

    answer: str
    reasoning_tokens: int
    closed: bool
    """Whether the reasoning block was closed."""


def has_reasoning(response: Response, config: RewardConfig) -> bool:
    """Whether the response reasons before it answers."""
    return response.closed and response.reasoning_tokens >= config.min_reasoning_tokens


def text_reward(response: Response, reference: str) -> float:
    """Eq 2."""
    return float(response.closed and is_correct(response.answer, reference))


def audio_reward(response: Response, reference: str, config: RewardConfig) -> float:
    """Eq 6-7."""
    correct = text_reward(response, reference)
    return config.correct * correct + config.reasoning * has_reasoning(response, config)
