"""Stage reinforce: the difficulty filter, then PPO on audio and text questions (section 2.3, eq 6-8).

Deviations: (1) sizes are settings; (2) where no question is of middling difficulty nothing is trained
and the report says so, rather than training on what cannot teach.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from model.distillation.clips import Dataset, encode_rows
from model.distillation.difficulty import DifficultyConfig, histogram, is_middling
from model.distillation.progress import Progress, StageReport
from model.distillation.workbench import MAX_NEW_TOKENS, Workbench, open_checkpoint
from model.engine.params import SamplingParams
from model.learning.critic import Critic
from model.learning.examples import Example
from model.learning.reinforcement import (
    ActorCritic,
    ReinforcementConfig,
    fit_critic,
    prepare_minibatches,
    reinforcement_step,
    rollout_figures,
)
from model.learning.rewards import RewardConfig
from model.learning.rollouts import Rollout, roll_out
from model.learning.trainer import OptimiserConfig, TorchTrainer

_FILTER_SHARE = 0.2
_CRITIC_PASSES, _CRITIC_RATE = 40, 3e-3


@dataclass(frozen=True)
class PpoConfig:
    """16 responses a prompt, clip 0.2, gamma = lambda = 1 and no KL are the paper's."""

    seed: int = 1
    steps: int = 40
    prompts_per_step: int = 12
    samples: int = 16
    learning_rate: float = 1.5e-4
    critic_factor: float = 10.0
    """The critic's learning rate over the policy's; the family's hint is 2.5 (section 2.3)."""
    text_share: float = 0.34
    """Prompts of a step that are text; the paper's pool holds 2,000 of 5,000."""
    difficulty: DifficultyConfig = field(default_factory=DifficultyConfig)
    rewards: RewardConfig = field(default_factory=RewardConfig)
    ppo: ReinforcementConfig = field(default_factory=ReinforcementConfig)


def reinforce(config: PpoConfig, *, checkpoint: Path, data: Path, out: Path, progress: Progress) -> StageReport:
    """Trains on questions of middling difficulty and writes a checkpoint folder to `out`."""
    bench = open_checkpoint(checkpoint, seed=config.seed)
    pools, difficulty = _curriculum(bench, data, config, progress)
    curve = list(_train(bench, pools, config, progress)) if any(pools) else []
    bench.save(out)
    metrics: dict[str, float] = {
        "prompts_audio": float(len(pools[0])),
        "prompts_text": float(len(pools[1])),
        "steps": float(len(curve)),
    }
    if curve:
        metrics |= {f"first_{k}": fmean(s[k] for s in curve[:3]) for k in ("reward", "accuracy_audio")}
        metrics |= {f"last_{k}": fmean(s[k] for s in curve[-3:]) for k in curve[-1]}
    return StageReport("reinforce", metrics, {"difficulty": difficulty, "curve": curve})


def _curriculum(
    bench: Workbench, data: Path, config: PpoConfig, progress: Progress
) -> tuple[tuple[list[Example], list[Example]], dict[str, Any]]:
    audio = _middling(bench, Dataset(data), config)
    progress(_FILTER_SHARE / 2, f"{len(audio[0])} sound questions are neither solved nor hopeless")
    text = _middling(bench, Dataset(data.parent / "text.jsonl"), config)
    progress(_FILTER_SHARE, f"and {len(text[0])} text questions")
    return (audio[0], text[0]), {"audio": audio[1], "text": text[1]}


def _middling(bench: Workbench, dataset: Dataset, config: PpoConfig) -> tuple[list[Example], dict[str, int]]:
    examples = encode_rows(bench.model, dataset, dataset.rows)
    sampling = _sampling(config.seed)
    groups = roll_out(bench.engine, examples, sampling, n=config.difficulty.samples, rewards=config.rewards)
    kept = [e for e, g in zip(examples, groups, strict=True) if is_middling(g, config.difficulty)]
    return kept, histogram(groups, config.difficulty)


def _train(
    bench: Workbench,
    pools: tuple[list[Example], list[Example]],
    config: PpoConfig,
    progress: Progress,
) -> Iterator[dict[str, float]]:
    actor = ActorCritic(bench.model, Critic(bench.model.language_model.lm_head.in_features))
    _fit_critic(bench, actor, pools, config)
    optimiser = OptimiserConfig(
        learning_rate=config.learning_rate,
        total_steps=10**9,
        warmup_steps=5,
        bf16=False,
        scales=(("critic.", config.critic_factor),),
    )
    trainer = TorchTrainer(actor, optimiser)
    for step in range(config.steps):
        groups = _step_rollouts(bench, pools, config, step=step)
        seen = rollout_figures(groups)
        flat = [rollout for group in groups for rollout in group]
        prepared = prepare_minibatches(actor, flat, config.ppo, pad_id=bench.pad_id)
        seen |= reinforcement_step(actor, trainer, prepared, config.ppo, generator=bench.generator)
        progress(
            _FILTER_SHARE + (1 - _FILTER_SHARE) * (step + 1) / config.steps,
            f"reward {seen['reward']:.2f} after {step + 1} of {config.steps} steps",
            seen,
        )
        yield seen


def _fit_critic(
    bench: Workbench, actor: ActorCritic, pools: tuple[list[Example], list[Example]], config: PpoConfig
) -> None:
    """One round of rollouts tells the critic what to expect before it judges."""
    groups = _step_rollouts(bench, pools, config, step=config.steps)
    flat = [rollout for group in groups for rollout in group]
    prepared = prepare_minibatches(actor, flat, config.ppo, pad_id=bench.pad_id)
    fit_critic(actor, prepared, passes=_CRITIC_PASSES, learning_rate=_CRITIC_RATE)


def _step_rollouts(
    bench: Workbench, pools: tuple[list[Example], list[Example]], config: PpoConfig, *, step: int
) -> list[list[Rollout]]:
    audio, text = pools
    wanted = round(config.prompts_per_step * config.text_share) if audio else config.prompts_per_step
    texts = _drawn(text, wanted if text else 0, bench.generator)
    audios = _drawn(audio, config.prompts_per_step - len(texts), bench.generator)
    sampling = _sampling(config.seed * 1_000_003 + step)
    return roll_out(bench.engine, [*audios, *texts], sampling, n=config.samples, rewards=config.rewards)


def _drawn(pool: Sequence[Example], count: int, generator: torch.Generator) -> list[Example]:
    if not pool or count <= 0:
        return []
    order = torch.randint(len(pool), (count,), generator=generator).tolist()
    return [pool[i] for i in order]


def _sampling(seed: int) -> SamplingParams:
    return SamplingParams(max_new_tokens=MAX_NEW_TOKENS, temperature=1.0, seed=seed)
