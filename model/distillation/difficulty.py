"""The difficulty filter (paper section 2.3): of 8 samples, 3 to 6 right, both inclusive."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.learning.rollouts import Rollout


@dataclass(frozen=True)
class DifficultyConfig:
    """Bounds; the defaults are the paper's."""

    samples: int = 8
    least: int = 3
    most: int = 6


def is_middling(group: Sequence[Rollout], config: DifficultyConfig) -> bool:
    """Whether a question is neither hopeless nor solved."""
    return config.least <= sum(rollout.correct for rollout in group) <= config.most


def histogram(groups: Sequence[Sequence[Rollout]], config: DifficultyConfig) -> dict[str, int]:
    """How many questions had 0, 1, ... right."""
    counts = [sum(rollout.correct for rollout in group) for group in groups]
    return {f"right_{k}": counts.count(k) for k in range(config.samples + 1)}
