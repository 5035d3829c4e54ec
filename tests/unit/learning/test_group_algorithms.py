"""GRPO, RLOO and DAPO against loops over single tokens and against closed forms."""

import math
import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.learning import dapo, grpo, rloo
from model.learning.algorithms import ALGORITHMS, UnknownAlgorithmError, algorithm_named

CLIP = 0.2
rewards = st.lists(st.sampled_from([0.0, 0.2, 0.8, 1.0]), min_size=2, max_size=16)


def drawn(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """New and old log-probabilities, advantages (one a response), and a mask with padding."""
    generator = torch.Generator().manual_seed(seed)
    mask_BT = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
    old_BT, step_BT = (torch.randn(3, 4, generator=generator) for _ in range(2))
    advantages_B1 = torch.randn(3, 1, generator=generator)
    return old_BT + 0.3 * step_BT, old_BT, advantages_B1 * mask_BT, mask_BT


def surrogate(ratio: float, advantage: float, *, above: float = CLIP) -> float:
    return min(ratio * advantage, min(max(ratio, 1 - CLIP), 1 + above) * advantage)


def token_terms(seed: int, *, above: float) -> list[list[float]]:
    """The surrogate of each real token, a list for each response."""
    new_BT, old_BT, advantages_BT, mask_BT = drawn(seed)
    return [
        [
            surrogate(math.exp(new_BT[b, t] - old_BT[b, t]), float(advantages_BT[b, t]), above=above)
            for t in range(int(mask_BT[b].sum()))
        ]
        for b in range(3)
    ]


@given(st.integers(0, 300))
def test_grpo_averages_over_a_responses_tokens_and_then_over_responses(seed: int) -> None:
    terms = token_terms(seed, above=CLIP)
    loss, share = grpo.policy_loss(*drawn(seed), clip=CLIP)
    assert loss.item() == pytest.approx(-statistics.fmean(statistics.fmean(row) for row in terms), rel=1e-4, abs=1e-5)
    assert 0 <= share <= 1


@given(st.integers(0, 300))
def test_dapo_averages_over_all_tokens_and_clips_higher(seed: int) -> None:
    flat = [term for row in token_terms(seed, above=dapo.CLIP_ABOVE) for term in row]
    loss, _ = dapo.policy_loss(*drawn(seed), clip=CLIP)
    assert loss.item() == pytest.approx(-statistics.fmean(flat), rel=1e-4, abs=1e-5)


@given(st.integers(0, 300))
def test_rloo_weighs_whole_responses(seed: int) -> None:
    new_BT, old_BT, advantages_BT, mask_BT = drawn(seed)
    ratios = [math.exp(float(((new_BT - old_BT) * mask_BT)[b].sum())) for b in range(3)]
    terms = [surrogate(ratio, float(advantages_BT[b, 0])) for b, ratio in enumerate(ratios)]
    loss, share = rloo.policy_loss(new_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)
    assert loss.item() == pytest.approx(-statistics.fmean(terms), rel=1e-4, abs=1e-5)
    assert share == pytest.approx(sum(abs(ratio - 1) > CLIP for ratio in ratios) / 3)


def test_on_policy_rloo_is_reinforce() -> None:
    _, old_BT, advantages_BT, mask_BT = drawn(4)
    new_BT = old_BT.clone().requires_grad_()
    rloo.policy_loss(new_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)[0].backward()
    torch.testing.assert_close(new_BT.grad, -advantages_BT / 3)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_padding_changes_no_loss(algorithm: object) -> None:
    new_BT, old_BT, advantages_BT, mask_BT = drawn(5)
    rubbish_BT = torch.where(mask_BT > 0, new_BT, torch.full_like(new_BT, 3.0))
    losses = [
        algorithm.policy_loss(scored_BT, old_BT, advantages_BT, mask_BT, clip=CLIP)  # type: ignore[attr-defined]
        for scored_BT in (new_BT, rubbish_BT)
    ]
    assert (losses[0][0].item(), losses[0][1]) == (losses[1][0].item(), losses[1][1])


@given(rewards)
def test_grpos_advantages_are_standard_scores_of_the_group(group: list[float]) -> None:
    found = grpo.group_advantages(torch.tensor(group)).tolist()
    deviation = statistics.pstdev(group)
    expected = [(r - statistics.fmean(group)) / deviation if deviation > 1e-9 else 0.0 for r in group]
    assert found == pytest.approx(expected, abs=1e-3)


@given(rewards)
def test_rloos_baseline_is_the_mean_of_the_others(group: list[float]) -> None:
    found = rloo.group_advantages(torch.tensor(group)).tolist()
    expected = [r - statistics.fmean(group[:i] + group[i + 1 :]) for i, r in enumerate(group)]
    assert found == pytest.approx(expected, abs=1e-6)
    assert sum(found) == pytest.approx(0, abs=1e-5)


def test_a_response_without_others_has_no_advantage() -> None:
    assert rloo.group_advantages(torch.tensor([1.0])).tolist() == [0.0]
    assert grpo.group_advantages(torch.tensor([1.0])).tolist() == [0.0]


@pytest.mark.parametrize(("used", "cost"), [(0.0, 0.0), (0.8, 0.0), (0.9, 0.5), (1.0, 1.0), (1.2, 1.0)])
def test_dapo_charges_for_the_last_fifth(used: float, cost: float) -> None:
    assert dapo.length_cost(used) == pytest.approx(cost)


def test_an_algorithm_is_known_by_name_or_refused() -> None:
    assert [algorithm_named(name).name for name in ALGORITHMS] == ["ppo", "grpo", "rloo", "dapo"]
    assert [name for name in ALGORITHMS if algorithm_named(name).has_critic] == ["ppo"]
    with pytest.raises(UnknownAlgorithmError, match="'trpo' is not known; choose one of ppo, grpo, rloo, dapo"):
        algorithm_named("trpo")
