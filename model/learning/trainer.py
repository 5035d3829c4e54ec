"""The trainer port and its torch adapter: from a loss to changed weights, and back after a kill.

A trainer owns optimizer, schedule, clipping and precision; what is learnt is a function that gives a
loss. Resume state is private to a run: it is read back only by the run that wrote it.
"""

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn


class NonFiniteLossError(ValueError):
    """The loss was not finite several steps in a row."""

    reason = "LOSS_NOT_FINITE"


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with linear warm-up and a cosine to a tenth."""

    learning_rate: float = 1e-3
    """Peak learning rate."""
    weight_decay: float = 0.01
    """Decoupled weight decay, on matrices only."""
    warmup_steps: int = 10
    """Steps of linear warm-up."""
    total_steps: int = 100
    """Steps until the cosine reaches its floor."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""
    bf16: bool = True
    """Autocast matrix products to bfloat16."""
    scales: tuple[tuple[str, float], ...] = ()
    """Factors on the learning rate of parameters whose names begin so."""
    patience: int = 5
    """Consecutive non-finite losses that end the run."""


class Trainer(Protocol):
    """What the stages ask of a trainer."""

    steps: int
    skipped: int

    def step(self, losses: Iterable[Callable[[], Tensor]]) -> float:
        """One optimizer step over micro-batches whose losses are summed; returns the summed loss."""
        ...

    def save(self, path: Path) -> None:
        """Writes the resume state, atomically."""
        ...

    def load(self, path: Path) -> None:
        """Continues exactly where `save` was called."""
        ...


def use_available_cores() -> int:
    """Sets torch to the cores this process may use: more threads than cores is ten times slower."""
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    return cores


class TorchTrainer:
    """One process, plain torch."""

    def __init__(self, modules: nn.Module, config: OptimiserConfig) -> None:
        self.config = config
        self.modules = modules
        self.steps = 0
        self.skipped = 0
        self._bad_in_a_row = 0
        self._parameters = [p for p in modules.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._groups(), lr=config.learning_rate, betas=(0.9, 0.95))

    def step(self, losses: Iterable[Callable[[], Tensor]]) -> float:
        """One optimizer step; a non-finite loss changes nothing and is counted."""
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for make_loss in losses:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.bf16):
                loss = make_loss()
            loss.backward()
            total += float(loss.detach())
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, self.config.max_grad_norm)
        if math.isfinite(total) and bool(torch.isfinite(norm)):
            self._apply()
        else:
            self._skip(total)
        return total

    def save(self, path: Path) -> None:
        """Weights, optimizer, counters and random state."""
        state = {
            "modules": self.modules.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps": self.steps,
            "skipped": self.skipped,
            "random": torch.get_rng_state(),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Reads what this run's own `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.modules.load_state_dict(state["modules"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps, self.skipped = state["steps"], state["skipped"]
        torch.set_rng_state(state["random"])

    def _groups(self) -> list[dict[str, object]]:
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, parameter in self.modules.named_parameters():
            if parameter.requires_grad:
                decay = self.config.weight_decay if parameter.ndim >= 2 else 0.0
                groups.setdefault((self._scale(name), decay), []).append(parameter)
        return [
            {"params": parameters, "weight_decay": decay, "scale": scale}
            for (scale, decay), parameters in groups.items()
        ]

    def _scale(self, name: str) -> float:
        return next((scale for prefix, scale in self.config.scales if name.startswith(prefix)), 1.0)

    def _apply(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.learning_rate * group["scale"] * self._schedule()
        self._optimizer.step()
        self.steps += 1
        self._bad_in_a_row = 0

    def _schedule(self) -> float:
        if self.steps < self.config.warmup_steps:
            return (self.steps + 1) / self.config.warmup_steps
        span = max(self.config.total_steps - self.config.warmup_steps, 1)
        part = min((self.steps - self.config.warmup_steps) / span, 1.0)
        return 0.1 + 0.45 * (1 + math.cos(math.pi * part))

    def _skip(self, total: float) -> None:
        self.skipped += 1
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= self.config.patience:
            raise NonFiniteLossError(
                f"loss was {total} for {self._bad_in_a_row} steps in a row at step {self.steps}; "
                f"lower learning_rate (now {self.config.learning_rate}) or look at the data"
            )
