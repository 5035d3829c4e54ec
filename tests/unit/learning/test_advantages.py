"""GAE against its definition, row by row, and against its closed form at gamma = lambda = 1."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.learning.advantages import generalised_advantages, terminal_rewards, whiten


def padded(lengths: list[int], *, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random rewards, values and the mask of rows of these lengths; padding holds rubbish values."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    mask_BT = (torch.arange(shape[1]) < torch.tensor(lengths)[:, None]).float()
    rewards_BT = torch.randn(shape, generator=generator) * mask_BT
    return rewards_BT, torch.randn(shape, generator=generator), mask_BT


def by_definition(rewards: list[float], values: list[float], *, gamma: float, lam: float) -> list[float]:
    """A_t = sum over l of (gamma lambda)^l delta_{t+l}, with value 0 after the end."""
    after = [*values[1:], 0.0]
    deltas = [r + gamma * n - v for r, n, v in zip(rewards, after, values, strict=True)]
    return [sum((gamma * lam) ** (u - t) * deltas[u] for u in range(t, len(deltas))) for t in range(len(deltas))]


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    gamma=st.sampled_from([1.0, 0.9, 0.5]),
    lam=st.sampled_from([1.0, 0.95, 0.0]),
    seed=st.integers(0, 1000),
)
def test_every_row_follows_the_definition_whatever_is_padded(
    lengths: list[int], gamma: float, lam: float, seed: int
) -> None:
    rewards_BT, values_BT, mask_BT = padded(lengths, seed=seed)
    advantages_BT, returns_BT = generalised_advantages(rewards_BT, values_BT, mask_BT, gamma=gamma, lam=lam)
    for b, size in enumerate(lengths):
        rewards, values = rewards_BT[b, :size].tolist(), values_BT[b, :size].tolist()
        expected = torch.tensor(by_definition(rewards, values, gamma=gamma, lam=lam))
        torch.testing.assert_close(advantages_BT[b, :size], expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(returns_BT[b, :size], expected + values_BT[b, :size], atol=1e-5, rtol=1e-5)
        assert not advantages_BT[b, size:].any()
        assert not returns_BT[b, size:].any()


def test_at_gamma_and_lambda_one_the_advantage_is_return_minus_value() -> None:
    _, values_BT, mask_BT = padded([4, 2], seed=3)
    rewards_BT = terminal_rewards(torch.tensor([1.0, 0.2]), mask_BT)
    advantages_BT, returns_BT = generalised_advantages(rewards_BT, values_BT, mask_BT)
    returns_BT_expected = torch.tensor([[1.0] * 4, [0.2, 0.2, 0.0, 0.0]])
    torch.testing.assert_close(returns_BT, returns_BT_expected)
    torch.testing.assert_close(advantages_BT, (returns_BT_expected - values_BT) * mask_BT)


def test_the_reward_stands_on_the_last_real_token_alone() -> None:
    mask_BT = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
    found_BT = terminal_rewards(torch.tensor([0.8, 0.2, 1.0]), mask_BT)
    assert found_BT.tolist() == [pytest.approx([0, 0, 0.8]), pytest.approx([0.2, 0, 0]), [0, 0, 0]]


def test_whitened_real_tokens_have_mean_zero_and_deviation_one() -> None:
    _, values_BT, mask_BT = padded([7, 3, 5], seed=1)
    white_BT = whiten(values_BT * 9 + 4, mask_BT)
    real = white_BT[mask_BT > 0]
    assert real.mean().item() == pytest.approx(0, abs=1e-6)
    assert real.std(unbiased=False).item() == pytest.approx(1, abs=1e-5)
    assert not white_BT[mask_BT == 0].any()


def test_whitening_equal_advantages_gives_zero_and_not_noise() -> None:
    mask_BT = torch.ones(2, 3)
    assert whiten(torch.full((2, 3), 0.7), mask_BT).abs().max().item() < 1e-2
    assert not whiten(torch.zeros(1, 2), torch.zeros(1, 2)).any()
