"""Log-likelihoods: those of the whole forward pass, and those the engine sampled with."""

from dataclasses import replace

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from model.engine.engine import Engine
from model.engine.params import SamplingParams
from model.learning.batching import Batch, TokenSequence, collate
from model.learning.examples import training_row
from model.learning.objective import masked_mean, score
from model.learning.rewards import RewardConfig
from model.learning.rollouts import roll_out
from model.network.audio_lm import AudioLanguageModel
from tests.unit.learning.tiny import example

CHAIN = "the pitch rises . so the answer is cheerful ."


@pytest.fixture
def rows(tokenizer: PreTrainedTokenizerFast) -> list[TokenSequence]:
    """With one clip, with two chunks, without sound; all of different length."""
    return [
        training_row(tokenizer, one)
        for one in (
            example(reasoning=CHAIN),
            example("sad", sound=(7, 4), seed=5),
            example("low", sound=(), question="is the voice low or high ?"),
        )
    ]


@torch.no_grad()
def test_scores_are_the_log_softmax_of_the_whole_forward(
    model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, rows: list[TokenSequence]
) -> None:
    scored = score(model, collate(rows, pad_id=tokenizer.pad_token_id), with_entropy=True)
    for b, row in enumerate(rows):
        ids_1L = torch.tensor([[*row.prompt_ids, *row.response_ids]])
        logprobs_LV = model(ids_1L, frames=row.frames)[0].log_softmax(-1)
        here_TV = logprobs_LV[len(row.prompt_ids) - 1 : -1]
        expected_T = here_TV.gather(1, torch.tensor(row.response_ids)[:, None])[:, 0]
        size = len(row.response_ids)
        torch.testing.assert_close(scored.logprobs_BT[b, :size], expected_T, atol=1e-4, rtol=0)
        entropy_T = torch.distributions.Categorical(logits=here_TV).entropy()
        torch.testing.assert_close(scored.entropy_BT[b, :size], entropy_T, atol=1e-4, rtol=0)
        assert not scored.logprobs_BT[b, size:].any()
        assert not scored.entropy_BT[b, size:].any()


@torch.no_grad()
def test_scores_equal_the_log_probabilities_of_the_rollouts(
    model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast
) -> None:
    examples = [example(sound=(30,)), example(sound=(6, 11), seed=2), example(sound=())]
    engine = Engine(model, tokenizer, max_batch_rows=8)
    sampling = SamplingParams(max_new_tokens=20, temperature=1.0, seed=3)
    groups = roll_out(engine, examples, sampling, n=4, rewards=RewardConfig())
    rollouts = [rollout for group in groups for rollout in group]
    scored = score(model, collate([r.row for r in rollouts], pad_id=tokenizer.pad_token_id))
    for rollout, logprobs_T in zip(rollouts, scored.logprobs_BT, strict=True):
        sampled = torch.tensor(rollout.logprobs)
        torch.testing.assert_close(logprobs_T[: len(sampled)], sampled, atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_row_scores_the_same_alone_and_padded(
    model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, rows: list[TokenSequence]
) -> None:
    pad_id = tokenizer.pad_token_id
    together = score(model, collate(rows, pad_id=pad_id)).logprobs_BT.sum(dim=1)
    alone = torch.stack([score(model, collate([row], pad_id=pad_id)).logprobs_BT.sum() for row in rows])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


def test_a_prompt_that_goes_through_once_teaches_the_same(
    model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, rows: list[TokenSequence]
) -> None:
    """Three prompts, one of them in the words of another but with other sound; answers."""
    answers = [(15, 19, 17, 11), (16,), (18, 12)]
    other_sound = replace(rows[0], frames=tuple(frames_FE + 1 for frames_FE in rows[0].frames))
    many = [replace(row, response_ids=ids) for row in (*rows[1:], rows[0], other_sound) for ids in answers]
    shared = collate(many, pad_id=tokenizer.pad_token_id, prompts_once=True)
    assert shared.prompts is not None
    assert len(shared.prompts.input_ids_NP) == 4
    found = []
    for batch in (shared, replace(shared, prompts=None)):
        model.zero_grad()
        scored = score(model, batch, with_entropy=True)
        (scored.logprobs_BT.exp().sum() + scored.entropy_BT.sum()).backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        found.append([scored.logprobs_BT, scored.entropy_BT, *gradients])
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_sound_counts(model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast) -> None:
    heard, other = (training_row(tokenizer, example(seed=seed)) for seed in (0, 1))
    scores = [score(model, collate([row], pad_id=0)).logprobs_BT.sum().item() for row in (heard, other)]
    assert scores[0] != scores[1]


def test_masked_mean_looks_at_real_tokens_only() -> None:
    values_BT, mask_BT = torch.tensor([[1.0, 3.0], [5.0, 100.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert masked_mean(values_BT, mask_BT) == 3
    assert masked_mean(values_BT, torch.zeros(2, 2)) == 0


def test_gradients_through_shared_prompts_are_the_same_on_several_threads(
    model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast, rows: list[TokenSequence]
) -> None:
    """A sum whose order the threads decide among themselves would make every run of a seed another."""
    many = [replace(row, response_ids=row.response_ids[:size]) for row in rows for size in range(1, 9)] * 32
    batch = collate(many, pad_id=tokenizer.pad_token_id, prompts_once=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        found = [_gradients(model, batch) for _ in range(8)]
    finally:
        torch.set_num_threads(threads)
        model.zero_grad()
    assert all(torch.equal(one, found[0]) for one in found[1:])


def _gradients(model: AudioLanguageModel, batch: Batch) -> torch.Tensor:
    model.zero_grad()
    score(model, batch).logprobs_BT.sum().backward()
    return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])
