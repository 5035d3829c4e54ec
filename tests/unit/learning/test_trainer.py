"""The torch trainer: what a bad loss does, the schedule, and going on after a kill."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.learning.trainer import NonFiniteLossError, OptimiserConfig, TorchTrainer

CONFIG = OptimiserConfig(learning_rate=0.05, warmup_steps=2, total_steps=20, bf16=False, patience=3)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 1))


def loss_of(module: nn.Module) -> Callable[[], Tensor]:
    """Depends on the random state, through its data and through dropout."""
    return lambda: module(torch.randn(6, 4)).square().mean()


def broken(module: nn.Module) -> Callable[[], Tensor]:
    return lambda: module(torch.full((1, 4), torch.nan)).mean()


def weights(module: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_step_changes_the_weights_and_is_counted() -> None:
    module = network()
    trainer, before = TorchTrainer(module, CONFIG), weights(module)
    trainer.step([loss_of(module)])
    assert not same(before, weights(module))
    assert (trainer.steps, trainer.skipped) == (1, 0)


def test_a_loss_that_is_not_finite_changes_nothing_and_is_counted() -> None:
    module = network()
    trainer = TorchTrainer(module, CONFIG)
    trainer.step([loss_of(module)])
    before = weights(module)
    trainer.step([broken(module)])
    assert same(before, weights(module))
    assert (trainer.steps, trainer.skipped) == (1, 1)
    trainer.step([loss_of(module)])
    assert not same(before, weights(module))
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_one_bad_micro_batch_spoils_its_step_only() -> None:
    module = network()
    trainer, before = TorchTrainer(module, CONFIG), weights(module)
    trainer.step([loss_of(module), broken(module)])
    assert same(before, weights(module))
    assert trainer.skipped == 1


def test_patience_ends_the_run_with_a_remedy() -> None:
    module = network()
    trainer = TorchTrainer(module, CONFIG)
    for _ in range(CONFIG.patience - 1):
        trainer.step([broken(module)])
    trainer.step([loss_of(module)])
    for _ in range(CONFIG.patience - 1):
        trainer.step([broken(module)])
    with pytest.raises(NonFiniteLossError, match=r"3 steps in a row.*lower learning_rate") as caught:
        trainer.step([broken(module)])
    assert caught.value.reason == "LOSS_NOT_FINITE"


def test_micro_batches_are_summed() -> None:
    x_BF = torch.arange(8.0).reshape(2, 4) / 8

    def trained(parts: list[Tensor]) -> tuple[float, list[Tensor]]:
        module = network().eval()
        trainer = TorchTrainer(module, CONFIG)
        loss = trainer.step([lambda part=part: module(part).square().sum() for part in parts])
        return loss, weights(module)

    (whole, one), (halves, two) = trained([x_BF]), trained([x_BF[:1], x_BF[1:]])
    assert whole == pytest.approx(halves, rel=1e-5)
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def test_frozen_weights_stay() -> None:
    module = network()
    module[0].requires_grad_(requires_grad=False)
    frozen = weights(module[0])
    TorchTrainer(module, CONFIG).step([loss_of(module)])
    assert same(frozen, weights(module[0]))


def test_a_resumed_run_repeats_the_curve_to_the_bit(tmp_path: Path) -> None:
    def run(trainer: TorchTrainer, module: nn.Module, steps: int) -> list[float]:
        return [trainer.step([loss_of(module)]) for _ in range(steps)]

    module = network()
    trainer = TorchTrainer(module, CONFIG)
    run(trainer, module, 4)
    trainer.step([broken(module)])
    trainer.save(tmp_path / "resume.pt")
    straight = run(trainer, module, 5)

    other = network()
    torch.manual_seed(99)
    resumed = TorchTrainer(other, CONFIG)
    resumed.load(tmp_path / "resume.pt")
    assert (resumed.steps, resumed.skipped) == (4, 1)
    assert run(resumed, other, 5) == straight
    assert same(weights(module), weights(other))


def test_saving_leaves_one_whole_file(tmp_path: Path) -> None:
    module = network()
    trainer = TorchTrainer(module, CONFIG)
    for _ in range(2):
        trainer.save(tmp_path / "resume.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]


def test_the_learning_rate_warms_up_and_falls_to_a_tenth() -> None:
    module = nn.Linear(1, 1, bias=False)
    config = OptimiserConfig(learning_rate=1.0, warmup_steps=4, total_steps=12, weight_decay=0, bf16=False)
    trainer, rates = TorchTrainer(module, config), []
    for _ in range(16):
        before = module.weight.item()
        trainer.step([lambda: module(torch.ones(1, 1)).sum()])
        rates.append(before - module.weight.item())  # a constant gradient moves AdamW by its rate
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert rates[4:13] == sorted(rates[4:13], reverse=True)
    assert rates[8] == pytest.approx(0.55)
    assert rates[12:] == pytest.approx([0.1] * 4)


def test_a_huge_gradient_is_clipped() -> None:
    def moved(scale: float) -> Tensor:
        module = nn.Linear(2, 1, bias=False)
        nn.init.ones_(module.weight)
        config = OptimiserConfig(learning_rate=0.1, warmup_steps=1, weight_decay=0, max_grad_norm=1.0, bf16=False)
        trainer = TorchTrainer(module, config)
        trainer.step([lambda: module(torch.ones(1, 2)).sum()])
        trainer.step([lambda: scale * module(torch.ones(1, 2)).sum()])
        return module.weight.detach()

    torch.testing.assert_close(moved(10.0), moved(1e6))


def test_only_matrices_decay() -> None:
    module = nn.Linear(2, 2)
    nn.init.ones_(module.weight)
    nn.init.ones_(module.bias)
    trainer = TorchTrainer(module, OptimiserConfig(learning_rate=0.1, weight_decay=0.5, warmup_steps=1, bf16=False))
    trainer.step([lambda: 0.0 * (module.weight.sum() + module.bias.sum())])
    torch.testing.assert_close(module.weight, torch.full((2, 2), 0.95))
    torch.testing.assert_close(module.bias, torch.ones(2))
