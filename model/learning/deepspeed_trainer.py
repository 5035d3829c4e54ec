"""The DeepSpeed adapter of the trainer port: ZeRO 1, 2 and 3, one process or several over gloo.

Promises the torch trainer's curve within rounding, its rule for bad losses, and an exact resume at
the same number of processes; another number is refused, since each holds its part of the state.
A CPU needs no compiled operators, so none is built: the optimizer is torch's, the reduction gloo's.
"""

import json
import logging
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.learning.optimisation import OptimiserConfig, Skips, autocast, make_optimizer, set_learning_rate
from model.learning.peers import Peers

_LATEST = "latest.json"


class ResumeError(ValueError):
    """The resume state does not fit this run."""

    reason = "RESUME_MISMATCH"


@dataclass(frozen=True)
class ZeroConfig:
    """What is partitioned over the processes."""

    stage: int = 1
    """1: optimizer state; 2: gradients too; 3: weights too."""
    keep_whole_below: int = 100_000
    """Weights of fewer numbers stay whole under stage 3: gathering them costs more than it saves."""

    def __post_init__(self) -> None:
        if self.stage not in (1, 2, 3):
            raise ValueError(f"ZeRO has no stage {self.stage}: choose 1, 2 or 3")


class DeepSpeedTrainer:
    """One of the processes that train under ZeRO; the peers have joined before it is made."""

    def __init__(self, modules: nn.Module, config: OptimiserConfig, *, zero: ZeroConfig, peers: Peers) -> None:
        self.config = config
        self.modules = modules
        self.peers = peers
        self.steps = 0
        self._skips = Skips(config)
        self._stage = zero.stage
        self._engine = _engine(_Losses(modules, config), make_optimizer(modules, config), config, zero)

    @property
    def skipped(self) -> int:
        """Steps that changed nothing."""
        return self._skips.total

    def step(self, losses: Iterable[Callable[[], Tensor]]) -> float:
        """One optimizer step; a loss that is not finite in any process changes nothing in all of them."""
        total = self._backward(losses)
        set_learning_rate(self._engine.optimizer.param_groups, self.config, steps=self.steps)
        self._engine.step()
        if self._engine.was_step_applied():
            self.steps += 1
            self._skips.applied()
        else:
            self._skips.skipped(total, steps=self.steps)
        return total

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Gathers what stage 3 partitions; its hooks, which would part it again at each layer, rest meanwhile."""
        if self._stage < 3:
            yield
            return
        import deepspeed

        offload = self._engine.optimizer.parameter_offload
        with deepspeed.zero.GatheredParameters(list(self.modules.parameters())):
            offload._remove_module_hooks()  # noqa: SLF001
            offload.forward_hooks, offload.backward_hooks = [], []
            try:
                yield
            finally:
                offload.setup_zero_stage3_hooks()

    def leave(self) -> None:
        """Under stage 3 gathers the weights into parameters of the modules' own, without DeepSpeed's hooks."""
        if self._stage < 3:
            return
        with self.whole():
            kept: dict[nn.Parameter | None, nn.Parameter] = {
                p: nn.Parameter(p.detach().clone(), p.requires_grad) for p in self.modules.parameters()
            }
        self._engine.destroy()
        for module in self.modules.modules():
            module._parameters = {name: kept.get(p) for name, p in module._parameters.items()}  # noqa: SLF001

    def save(self, path: Path) -> None:
        """Each process writes its part into a folder of its own step; a small file then names that step."""
        tag = f"step-{self.steps}-{self._skips.total}"
        self._engine.save_checkpoint(str(path), tag=tag, save_latest=False)
        torch.save(torch.get_rng_state(), path / tag / f"random-{self.peers.rank}.pt")
        self.peers.gather(None)  # everyone has written
        self.peers.once(lambda: self._name_latest(path, tag))

    def load(self, path: Path) -> None:
        """Reads what this run's own `save` wrote, with the same number of processes."""
        latest = checked_latest(path, world_size=self.peers.world_size, stage=self._stage)
        self._engine.load_checkpoint(str(path), tag=latest["tag"])
        torch.set_rng_state(torch.load(path / latest["tag"] / f"random-{self.peers.rank}.pt", weights_only=True))
        self.steps = latest["steps"]
        self._skips.total, self._skips.in_a_row = latest["skipped"], latest["skipped_in_a_row"]

    def _backward(self, losses: Iterable[Callable[[], Tensor]]) -> float:
        """Accumulates the gradients of all micro-batches; a bad sum poisons the last, so that ZeRO skips the step."""
        total = mean = 0.0
        for make_loss, is_last in _with_last(losses):
            self._engine.set_gradient_accumulation_boundary(is_last)
            loss = self._engine(make_loss)
            total += float(loss.detach())
            if is_last and not math.isfinite(mean := self.peers.mean(total)):
                loss = loss * math.nan
            self._engine.backward(loss, scale_wrt_gas=False)
        return mean

    def _name_latest(self, path: Path, tag: str) -> None:
        named = {
            "tag": tag,
            "world_size": self.peers.world_size,
            "stage": self._stage,
            "steps": self.steps,
            "skipped": self._skips.total,
            "skipped_in_a_row": self._skips.in_a_row,
        }
        partial = path / f"{_LATEST}.partial"
        partial.write_text(json.dumps(named))
        partial.replace(path / _LATEST)
        for old in path.glob("step-*"):
            if old.name != tag:
                shutil.rmtree(old)


def checked_latest(path: Path, *, world_size: int, stage: int) -> dict[str, Any]:
    """What a resume state says of itself; another number of processes or another stage is refused."""
    latest: dict[str, Any] = json.loads((path / _LATEST).read_text())
    if latest["world_size"] != world_size or latest["stage"] != stage:
        raise ResumeError(
            f"{path.name} was written by {latest['world_size']} processes under ZeRO {latest['stage']}, this run "
            f"has {world_size} under ZeRO {stage}: resume with the same, or start the stage anew"
        )
    return latest


class _Losses(nn.Module):
    """What DeepSpeed takes for the model: runs the function that gives the loss, within its own hooks."""

    def __init__(self, modules: nn.Module, config: OptimiserConfig) -> None:
        super().__init__()
        self.modules_in_training = modules
        self._config = config

    def forward(self, make_loss: Callable[[], Tensor]) -> Tensor:
        with autocast(self._config):
            return make_loss()

    def state_dict(self, **_options: Any) -> dict[str, Any]:  # type: ignore[override]
        """Every weight under its own name: what stage 3 leaves here of one cannot be split as `network.fused` does."""
        state: dict[str, Any] = {}
        for name, module in self.named_modules():
            module._save_to_state_dict(state, f"{name}." if name else "", keep_vars=False)  # noqa: SLF001
        return state


def _with_last(losses: Iterable[Callable[[], Tensor]]) -> Iterator[tuple[Callable[[], Tensor], bool]]:
    """Each with whether it is the last; an empty list is the caller's mistake."""
    waiting: Callable[[], Tensor] | None = None
    for make_loss in losses:
        if waiting is not None:
            yield waiting, False
        waiting = make_loss
    if waiting is None:
        raise ValueError("a step needs at least one micro-batch")
    yield waiting, True


def _engine(losses: _Losses, optimizer: torch.optim.Optimizer, config: OptimiserConfig, zero: ZeroConfig) -> Any:
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # both are read by deepspeed itself
    os.environ.setdefault("LOCAL_RANK", "0")
    import deepspeed

    warnings.filterwarnings(
        "ignore", message="`torch.distributed.*` is deprecated", category=FutureWarning
    )  # at every call
    deepspeed.utils.logger.setLevel(logging.WARNING)
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # else it is compiled at every start
    deepspeed.init_distributed(dist_backend="gloo", auto_mpi_discovery=False, verbose=False)
    engine, *_ = deepspeed.initialize(
        model=losses,
        optimizer=optimizer,
        config={
            "train_micro_batch_size_per_gpu": 1,
            "gradient_accumulation_steps": 1,
            "gradient_clipping": config.max_grad_norm,
            "zero_allow_untested_optimizer": True,
            "zero_optimization": {
                "stage": zero.stage,
                "stage3_param_persistence_threshold": zero.keep_whole_below,
            },
        },
    )
    return engine
