"""Rollouts of one step become minibatches with everything that the rollout fixed: rewards, advantages, old figures.

Rules: a response without a token cannot be trained on and only counts in its group's baseline. A prompt whose
responses all earn the same has no advantage within its group: it still fits a critic, and is left out where there is
none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from model.learning.advantages import generalised_advantages, terminal_rewards, whiten
from model.learning.algorithm import Algorithm
from model.learning.batching import Batch, collate
from model.learning.critic import ActorCritic
from model.learning.objective import score
from model.learning.peers import ALONE, Peers, Share
from model.learning.rollouts import Rollout


@dataclass(frozen=True)
class CriticTargets:
    """What the critic said of each token when it was rolled out, and what it should have said."""

    old_values_BT: Tensor
    returns_BT: Tensor


@dataclass(frozen=True)
class Prepared:
    """A minibatch with what the rollout fixed."""

    batch: Batch
    old_logprobs_BT: Tensor
    advantages_BT: Tensor
    targets: CriticTargets | None
    """None where no critic judges."""
    factor: float = 1.0
    """What the loss counts in the mean over the processes that train together."""


@dataclass(frozen=True)
class Rewarded:
    """A rollout with the reward that is learnt from, and its advantage over its group."""

    rollout: Rollout
    reward: float
    advantage: float = 0.0


def shaped_rewards(group: Sequence[Rollout], algorithm: Algorithm, *, max_tokens: int) -> list[float]:
    """The rewards an algorithm learns from: those earned, less what length costs."""
    cost = algorithm.length_cost
    if cost is None:
        return [rollout.reward for rollout in group]
    return [rollout.reward - cost(len(rollout.row.response_ids) / max_tokens) for rollout in group]


def has_difference(group: Sequence[Rollout], algorithm: Algorithm, *, max_tokens: int) -> bool:
    """Whether the responses to a prompt earn different rewards."""
    return len(set(shaped_rewards(group, algorithm, max_tokens=max_tokens))) > 1


def prepare_minibatches(
    actor: ActorCritic,
    groups: Sequence[Sequence[Rollout]],
    *,
    algorithm: Algorithm,
    rows: int,
    max_tokens: int,
    pad_id: int,
    peers: Peers = ALONE,
) -> list[Prepared]:
    """Minibatches of at most `rows` responses of like length; empty where nothing teaches.

    Where there are peers, of each minibatch this process's share.
    """
    rewarded = [one for group in groups for one in _rewarded(group, algorithm, max_tokens=max_tokens)]
    ordered = sorted((one for one in rewarded if one.rollout.row.response_ids), key=lambda one: one.rollout.row.length)
    parts = [ordered[i : i + rows] for i in range(0, len(ordered), rows)]
    shares = [peers.share(part, weight=partial(_weight, algorithm)) for part in parts]
    if not algorithm.has_critic:
        return [_relative(share, pad_id=pad_id) for share in shares]
    prepared = [_judged(actor, share, pad_id=pad_id) for share in shares]
    return _whitened(prepared, peers) if prepared else []


def _weight(algorithm: Algorithm, one: Rewarded) -> float:
    return 1.0 if algorithm.per_response else len(one.rollout.row.response_ids)


def _rewarded(group: Sequence[Rollout], algorithm: Algorithm, *, max_tokens: int) -> list[Rewarded]:
    rewards = shaped_rewards(group, algorithm, max_tokens=max_tokens)
    if algorithm.group_advantages is None:
        return [Rewarded(rollout, reward) for rollout, reward in zip(group, rewards, strict=True)]
    if len(set(rewards)) == 1:
        return []
    advantages = algorithm.group_advantages(torch.tensor(rewards)).tolist()
    return [Rewarded(*each) for each in zip(group, rewards, advantages, strict=True)]


def _relative(share: Share[Rewarded], *, pad_id: int) -> Prepared:
    batch, old_logprobs_BT = _collated(share.rows, pad_id=pad_id)
    advantages_B1 = torch.tensor([one.advantage for one in share.rows])[:, None]
    return Prepared(batch, old_logprobs_BT, advantages_B1 * batch.response_mask_BT, targets=None, factor=share.factor)


@torch.no_grad()
def _judged(actor: ActorCritic, share: Share[Rewarded], *, pad_id: int) -> Prepared:
    batch, old_logprobs_BT = _collated(share.rows, pad_id=pad_id)
    mask_BT = batch.response_mask_BT
    values_BT = actor.values(score(actor.policy, batch).hidden_BTD) * mask_BT
    rewards_BT = terminal_rewards(torch.tensor([one.reward for one in share.rows]), mask_BT)
    advantages_BT, returns_BT = generalised_advantages(rewards_BT, values_BT, mask_BT)
    return Prepared(batch, old_logprobs_BT, advantages_BT, CriticTargets(values_BT, returns_BT), share.factor)


def _collated(part: Sequence[Rewarded], *, pad_id: int) -> tuple[Batch, Tensor]:
    batch = collate([one.rollout.row for one in part], pad_id=pad_id, prompts_once=True)
    old_logprobs_BT = torch.zeros_like(batch.response_mask_BT)
    for b, one in enumerate(part):
        old_logprobs_BT[b, : len(one.rollout.logprobs)] = torch.tensor(one.rollout.logprobs)
    return batch, old_logprobs_BT


def _whitened(prepared: Sequence[Prepared], peers: Peers) -> list[Prepared]:
    flat = torch.cat([p.advantages_BT.flatten() for p in prepared])
    mask = torch.cat([p.batch.response_mask_BT.flatten() * (p.factor > 0) for p in prepared])
    flats, masks = zip(*peers.gather((flat, mask)), strict=True)
    own = whiten(torch.cat(flats), torch.cat(masks)).split([len(part) for part in flats])[peers.rank]
    white = own.split([p.advantages_BT.numel() for p in prepared])
    return [replace(p, advantages_BT=part.view_as(p.advantages_BT)) for p, part in zip(prepared, white, strict=True)]
