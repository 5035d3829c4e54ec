"""PPO's losses against a loop over single tokens, as the paper's equations are read aloud."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.learning.ppo import policy_loss, value_loss

CLIP = 0.2


def drawn(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """New and old log-probabilities, advantages, and a mask with padding."""
    generator = torch.Generator().manual_seed(seed)
    mask_BT = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
    old_BT, step_BT, advantages_BT = (torch.randn(3, 4, generator=generator) for _ in range(3))
    return old_BT + 0.4 * step_BT, old_BT, advantages_BT, mask_BT


@given(st.integers(0, 500))
def test_policy_loss_is_the_mean_over_tokens_of_the_clipped_surrogate(seed: int) -> None:
    new_BT, old_BT, advantages_BT, mask_BT = drawn(seed)
    terms, clipped = [], 0
    for b, t in mask_BT.nonzero().tolist():
        ratio = math.exp(new_BT[b, t] - old_BT[b, t])
        bounded = min(max(ratio, 1 - CLIP), 1 + CLIP)
        terms.append(min(ratio * float(advantages_BT[b, t]), bounded * float(advantages_BT[b, t])))
        clipped += ratio != bounded
    loss, share = policy_loss(new_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)
    assert loss.item() == pytest.approx(-sum(terms) / len(terms), rel=1e-4, abs=1e-5)
    assert share == pytest.approx(clipped / len(terms))


@given(st.integers(0, 500))
def test_value_loss_is_half_the_worse_squared_error(seed: int) -> None:
    values_BT, old_BT, returns_BT, mask_BT = drawn(seed)
    terms = []
    for b, t in mask_BT.nonzero().tolist():
        value, old, target = (float(x_BT[b, t]) for x_BT in (values_BT, old_BT, returns_BT))
        near = old + min(max(value - old, -CLIP), CLIP)
        terms.append(max((value - target) ** 2, (near - target) ** 2))
    loss = value_loss(values_BT, old_BT, returns_BT, mask_BT, clip=CLIP)
    assert loss.item() == pytest.approx(0.5 * sum(terms) / len(terms), rel=1e-4)


def test_on_policy_the_gradient_is_that_of_the_plain_policy_gradient() -> None:
    _, old_BT, advantages_BT, mask_BT = drawn(4)
    new_BT = old_BT.clone().requires_grad_()
    loss, share = policy_loss(new_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)
    loss.backward()
    assert share == 0
    torch.testing.assert_close(new_BT.grad, -advantages_BT * mask_BT / mask_BT.sum())


@pytest.mark.parametrize(("ratio", "advantage", "learns"), [(1.5, 1.0, False), (1.5, -1.0, True), (0.5, -1.0, False)])
def test_a_token_past_the_clip_learns_only_on_the_way_back(ratio: float, advantage: float, *, learns: bool) -> None:
    new_BT = torch.tensor([[math.log(ratio)]], requires_grad=True)
    loss, _ = policy_loss(new_BT, torch.zeros(1, 1), torch.tensor([[advantage]]), torch.ones(1, 1), clip=CLIP)
    loss.backward()
    assert bool(new_BT.grad.any()) == learns


def test_padding_changes_nothing() -> None:
    new_BT, old_BT, advantages_BT, mask_BT = drawn(5)
    plain, share = policy_loss(new_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)
    rubbish_BT = torch.where(mask_BT > 0, new_BT, torch.full_like(new_BT, 3.0))
    other, other_share = policy_loss(rubbish_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)
    assert (plain.item(), share) == (other.item(), other_share)
