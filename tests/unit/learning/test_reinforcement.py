"""PPO steps on a tiny policy: they raise what was rewarded, and touch only what they should."""

import math
from dataclasses import replace

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from model.engine.engine import Engine
from model.engine.params import SamplingParams
from model.learning.algorithm import Algorithm
from model.learning.algorithms import ALGORITHMS
from model.learning.batching import TokenSequence, collate
from model.learning.critic import ActorCritic, Critic
from model.learning.examples import prompt_ids
from model.learning.minibatches import Prepared, prepare_minibatches
from model.learning.objective import score
from model.learning.ppo import PPO
from model.learning.reinforcement import ReinforcementConfig, reinforcement_step, rollout_figures
from model.learning.rewards import RewardConfig
from model.learning.rloo import RLOO
from model.learning.rollouts import Rollout, roll_out
from model.learning.trainer import OptimiserConfig, TorchTrainer
from model.network.audio_lm import AudioLanguageModel
from tests.unit.learning.tiny import example, rollout, tiny_model

CONFIG = ReinforcementConfig(epochs=2)
OPTIMISER = OptimiserConfig(learning_rate=5e-3, warmup_steps=1, total_steps=1000, bf16=False)


def actor_critic(model: AudioLanguageModel) -> ActorCritic:
    torch.manual_seed(1)
    return ActorCritic(model, Critic(model.config.text_config.hidden_size, inner=16))


def said(model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, *, reward: float, word: str) -> Rollout:
    """A one-word response under this policy with this reward."""
    one = example()
    word_id = tokenizer.encode(word, add_special_tokens=False)[0]
    row = TokenSequence(tuple(prompt_ids(tokenizer, one, think=True)), (word_id, tokenizer.eos_token_id), one.audio)
    with torch.no_grad():
        logprobs = score(model, collate([row], pad_id=0)).logprobs_BT[0].tolist()
    made = rollout(of=one, reward=reward)
    return Rollout(one, row, tuple(logprobs), made.reasoning, made.response, reward, finished=True)


def prepared_of(actor: ActorCritic, rollouts: list[Rollout], algorithm: Algorithm = PPO) -> list[Prepared]:
    """One group of rollouts in minibatches of four."""
    return prepare_minibatches(actor, [rollouts], algorithm=algorithm, rows=4, max_tokens=20, pad_id=0)


def step(actor: ActorCritic, rollouts: list[Rollout], *, seed: int = 0, algorithm: Algorithm = PPO) -> dict[str, float]:
    trainer, generator = TorchTrainer(actor, OPTIMISER), torch.Generator().manual_seed(seed)
    prepared = prepared_of(actor, rollouts, algorithm)
    return reinforcement_step(actor, trainer, prepared, CONFIG, algorithm=algorithm, generator=generator)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_what_was_rewarded_becomes_likelier(tokenizer: PreTrainedTokenizerFast, algorithm: Algorithm) -> None:
    model = tiny_model()
    good = said(model, tokenizer, reward=1.0, word="cheerful")
    bad = said(model, tokenizer, reward=0.0, word="sad")
    actor = actor_critic(model) if algorithm.has_critic else ActorCritic(model)
    step(actor, [good, bad], algorithm=algorithm)
    with torch.no_grad():
        after = score(model, collate([good.row, bad.row], pad_id=0)).logprobs_BT
    assert after[0, 0] > good.logprobs[0]
    assert after[0, 0] - after[1, 0] > good.logprobs[0] - bad.logprobs[0]


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_equal_rewards_teach_the_critic_alone(tokenizer: PreTrainedTokenizerFast, algorithm: Algorithm) -> None:
    model = tiny_model()
    actor = actor_critic(model) if algorithm.has_critic else ActorCritic(model)
    rollouts = [said(model, tokenizer, reward=1.0, word=word) for word in ("cheerful", "sad")]
    assert len(prepared_of(actor, rollouts, algorithm)) == (1 if algorithm.has_critic else 0)


def test_a_response_without_a_token_counts_in_its_groups_baseline_only(tokenizer: PreTrainedTokenizerFast) -> None:
    model = tiny_model()
    good = said(model, tokenizer, reward=1.0, word="cheerful")
    nothing = replace(good, row=replace(good.row, response_ids=()), logprobs=(), reward=0.0)
    (prepared,) = prepared_of(ActorCritic(model), [good, nothing], RLOO)
    assert prepared.advantages_BT.tolist() == [[1.0, 1.0]]
    assert prepared_of(ActorCritic(model), [nothing, nothing], RLOO) == []


def test_a_loss_that_is_not_finite_is_skipped_counted_and_leaves_no_figure(tokenizer: PreTrainedTokenizerFast) -> None:
    model = tiny_model()
    actor = actor_critic(model)
    rollouts = [said(model, tokenizer, reward=i / 4, word="low") for i in range(4)]
    (prepared,) = prepared_of(actor, rollouts)
    broken = replace(prepared, advantages_BT=prepared.advantages_BT * torch.nan)
    before = {name: weight.clone() for name, weight in actor.state_dict().items()}
    trainer = TorchTrainer(actor, OPTIMISER)
    seen = reinforcement_step(actor, trainer, [broken], CONFIG, algorithm=PPO, generator=torch.Generator())
    assert trainer.skipped == CONFIG.epochs
    assert all(math.isfinite(value) for value in seen.values())
    assert all(torch.equal(weight, before[name]) for name, weight in actor.state_dict().items())


def test_the_critic_learns_the_reward_and_never_bends_the_policy(tokenizer: PreTrainedTokenizerFast) -> None:
    model = tiny_model()
    actor = actor_critic(model)
    rollouts = [said(model, tokenizer, reward=0.7, word="sad")] * 4
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    errors, optimizer = [], torch.optim.SGD(actor.critic.parameters(), lr=0.1)
    for _ in range(25):
        prepared = prepared_of(actor, rollouts)
        hidden_BTD = score(model, prepared[0].batch).hidden_BTD
        error = (actor.critic(hidden_BTD) - 0.7).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.1 * errors[0]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_a_new_critic_expects_nothing() -> None:
    assert not Critic(8)(torch.randn(2, 3, 8)).any()


def test_prepared_batches_hold_each_rollout_once_whitened_together(tokenizer: PreTrainedTokenizerFast) -> None:
    model = tiny_model()
    rollouts = [said(model, tokenizer, reward=i / 10, word="low") for i in range(10)]
    prepared = prepared_of(actor_critic(model), rollouts)
    assert [len(p.batch.input_ids_BL) for p in prepared] == [4, 4, 2]
    returned = sorted(value for p in prepared for value in p.targets.returns_BT[:, 0].tolist())
    assert returned == pytest.approx([i / 10 for i in range(10)], abs=1e-6)
    white = torch.cat([p.advantages_BT[p.batch.response_mask_BT > 0] for p in prepared])
    assert white.mean().item() == pytest.approx(0, abs=1e-5)
    assert white.std(unbiased=False).item() == pytest.approx(1, abs=1e-4)


def test_the_first_pass_is_on_policy(tokenizer: PreTrainedTokenizerFast) -> None:
    model = tiny_model()
    engine = Engine(model, tokenizer)
    sampling = SamplingParams(max_new_tokens=12, temperature=1.0, seed=1)
    groups = roll_out(engine, [example(), example(sound=())], sampling, n=4, rewards=RewardConfig())
    rollouts = [one for group in groups for one in group]
    prepared = prepared_of(actor_critic(model), rollouts)
    for part in prepared:
        now_BT = score(model, part.batch).logprobs_BT
        torch.testing.assert_close(now_BT, part.old_logprobs_BT, atol=1e-4, rtol=0)


def test_the_seed_decides_the_step(tokenizer: PreTrainedTokenizerFast) -> None:
    def figures() -> dict[str, float]:
        model = tiny_model()
        rollouts = [said(model, tokenizer, reward=i % 2, word="low") for i in range(6)]
        return step(actor_critic(model), rollouts)

    first = figures()
    assert first == figures()
    assert set(first) == {"entropy", "clip_share", "value_error"}
    assert first["entropy"] > 0


def test_no_rollouts_leave_the_weights_alone() -> None:
    model = tiny_model()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    assert step(actor_critic(model), []) == {}
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_accuracies_are_only_of_what_was_asked() -> None:
    figures = rollout_figures([[rollout("", reward=0.0)]])
    assert figures["accuracy_audio"] == 0.0
    assert "accuracy_text" not in figures
    assert figures["empty"] == 1.0


def test_figures_of_a_step_by_hand() -> None:
    text = example(sound=())
    groups = [
        [rollout(reward=1.0, tokens=10), rollout("sad", reward=0.2, tokens=20, finished=False)],
        [rollout(of=text, reward=1.0, tokens=0), rollout(of=text, reward=1.0, tokens=2)],
    ]
    assert rollout_figures(groups) == {
        "reward": pytest.approx(0.8),
        "accuracy_audio": 0.5,
        "accuracy_text": 1.0,
        "think_tokens": 8.0,
        "unfinished": 0.25,
        "tokens": 16.0,
        "empty": 0.0,
        "equal_groups": 0.5,
    }
