"""Advantages from a reward on the last token alone (paper section 2.3: gamma = lambda = 1).

Shapes: B responses, T response tokens, right padded; mask_BT is 1 on real tokens.
"""

import torch
from torch import Tensor


def generalised_advantages(
    rewards_BT: Tensor, values_BT: Tensor, mask_BT: Tensor, *, gamma: float = 1.0, lam: float = 1.0
) -> tuple[Tensor, Tensor]:
    """GAE (Schulman et al. 2016): advantages_BT and the returns_BT the critic is fitted to.

    Padding has reward 0 and is bridged: it carries nothing backwards.
    """
    advantages_BT = torch.zeros_like(values_BT)
    running_B = torch.zeros_like(values_BT[:, 0])
    next_value_B = torch.zeros_like(values_BT[:, 0])
    for t in reversed(range(values_BT.shape[1])):
        delta_B = rewards_BT[:, t] + gamma * next_value_B - values_BT[:, t]
        step_B = delta_B + gamma * lam * running_B
        running_B = torch.where(mask_BT[:, t] > 0, step_B, running_B)
        next_value_B = torch.where(mask_BT[:, t] > 0, values_BT[:, t], next_value_B)
        advantages_BT[:, t] = running_B * mask_BT[:, t]
    return advantages_BT, (advantages_BT + values_BT) * mask_BT


def terminal_rewards(rewards_B: Tensor, mask_BT: Tensor) -> Tensor:
    """Puts each response's reward on its last real token."""
    rewards_BT = torch.zeros_like(mask_BT, dtype=rewards_B.dtype)
    last_B = mask_BT.long().sum(dim=1) - 1
    rewards_BT[torch.arange(len(rewards_B)), last_B.clamp(min=0)] = rewards_B
    return rewards_BT * mask_BT


def whiten(advantages_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Zero mean and unit deviation over all real tokens of the batch."""
    count = mask_BT.sum().clamp(min=1)
    mean = (advantages_BT * mask_BT).sum() / count
    variance = ((advantages_BT - mean) ** 2 * mask_BT).sum() / count
    return (advantages_BT - mean) / (variance + 1e-8).sqrt() * mask_BT
