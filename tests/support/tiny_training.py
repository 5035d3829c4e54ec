"""The real stages with settings that let a model of random weights through the difficulty filter."""

from typing import Any

from model.distillation import stages
from model.distillation.difficulty import DifficultyConfig
from model.learning.reinforcement import ReinforcementConfig

reinforce = stages.reinforce


def RlConfig(**settings: Any) -> stages.RlConfig:
    """As the stage has it, small."""
    return stages.RlConfig(
        difficulty=DifficultyConfig(samples=2, least=0, most=2),
        update=ReinforcementConfig(minibatch_rows=4),
        **settings,
    )


def __getattr__(name: str) -> Any:
    """The other stages, as they are."""
    return getattr(stages, name)
