"""Supervised fine-tuning learns what it is shown, only that, and the same way each time."""

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from model.engine.engine import Engine
from model.engine.params import SamplingParams
from model.learning.batching import TokenSequence, collate
from model.learning.examples import Example, training_row
from model.learning.objective import score
from model.learning.rewards import RewardConfig
from model.learning.rollouts import roll_out
from model.learning.sft import SftStep, finetune_steps, sft_loss
from model.learning.trainer import OptimiserConfig, TorchTrainer
from tests.unit.learning.tiny import example, tiny_model

EXAMPLES = [
    example("cheerful", reasoning="the pitch rises . it gets louder . so the answer is cheerful .", seed=1),
    example("sad", reasoning="the pitch falls . the voice is low . so the answer is sad .", seed=20),
    example("high", question="is the voice low or high ?", seed=40),
    example("low", question="is the voice low ?", sound=()),
]


@pytest.fixture(scope="module")
def rows(tokenizer: PreTrainedTokenizerFast) -> list[TokenSequence]:
    return [training_row(tokenizer, one) for one in EXAMPLES]


def curve(model: torch.nn.Module, rows: list[TokenSequence], *, epochs: int, seed: int = 0) -> list[SftStep]:
    config = OptimiserConfig(learning_rate=1e-2, warmup_steps=5, total_steps=2 * epochs, bf16=False)
    generator = torch.Generator().manual_seed(seed)
    trainer = TorchTrainer(model, config)
    steps = finetune_steps(model, rows, trainer, epochs=epochs, batch_size=2, pad_id=0, generator=generator)
    return list(steps)


def test_a_few_rows_are_learnt_by_heart(tokenizer: PreTrainedTokenizerFast, rows: list[TokenSequence]) -> None:
    model = tiny_model()
    steps = curve(model, rows, epochs=60)
    assert steps[-1].loss < 0.05 < steps[0].loss
    engine, sampling = Engine(model, tokenizer), SamplingParams(max_new_tokens=30, temperature=0)

    def asked(examples: list[Example], *, think: bool) -> list[tuple[str, str]]:
        groups = roll_out(engine, examples, sampling, n=1, rewards=RewardConfig(), think=think)
        return [(group[0].reasoning, group[0].response.answer) for group in groups]

    assert asked(EXAMPLES[:2], think=True) == [(e.reasoning, e.answer) for e in EXAMPLES[:2]]
    assert asked(EXAMPLES[2:], think=False) == [("", e.answer) for e in EXAMPLES[2:]]


def test_the_seed_decides_the_curve(rows: list[TokenSequence]) -> None:
    first, again, other = (curve(tiny_model(), rows, epochs=3, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert [step.loss for step in first] != [step.loss for step in other]


def test_steps_are_counted_from_one_with_their_tokens(rows: list[TokenSequence]) -> None:
    steps = curve(tiny_model(), rows, epochs=2)
    assert [step.step for step in steps] == [1, 2, 3, 4]
    assert sum(step.tokens for step in steps) == 2 * sum(row.length for row in rows)


@torch.no_grad()
def test_the_loss_is_the_mean_over_response_tokens_of_all_rows(rows: list[TokenSequence]) -> None:
    model = tiny_model()
    single = [score(model, collate([row], pad_id=0)).logprobs_BT.sum().item() for row in rows]
    expected = -sum(single) / sum(len(row.response_ids) for row in rows)
    assert sft_loss(model, collate(rows, pad_id=0)).item() == pytest.approx(expected, abs=1e-4)


def test_sound_reaches_the_adaptor_and_a_frozen_encoder_stays(rows: list[TokenSequence]) -> None:
    model = tiny_model()
    model.audio_encoder.requires_grad_(requires_grad=False)
    encoder = {name: weight.clone() for name, weight in model.audio_encoder.state_dict().items()}
    adaptor = {name: weight.clone() for name, weight in model.adaptor.state_dict().items()}
    curve(model, rows, epochs=1)
    assert all(torch.equal(weight, encoder[name]) for name, weight in model.audio_encoder.state_dict().items())
    assert not any(torch.equal(weight, adaptor[name]) for name, weight in model.adaptor.state_dict().items())
