"""Log-likelihood of responses under the model: what every objective here is made of.

Logits are computed at response positions only; prompts and padding never meet the vocabulary. A prompt that several
rows answer goes through the network once for them all.
Shapes: B rows, T response tokens, N prompts of P tokens, D width, V vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from model.learning.batching import Batch, Prompts
from model.network.attention import AfterPrompts, RememberedSequences
from model.network.audio_lm import AudioLanguageModel


@dataclass(frozen=True)
class Scored:
    """A batch's responses under the model."""

    logprobs_BT: Tensor
    """log p(token), 0 on padding."""
    entropy_BT: Tensor
    """Entropy of the distribution each token was drawn from, nats, 0 on padding."""
    hidden_BTD: Tensor
    """Hidden states that predicted them."""


def score(model: AudioLanguageModel, batch: Batch, *, with_entropy: bool = False) -> Scored:
    """Runs the training forward pass over prompt and response."""
    hidden_BTD = _hidden(model, batch) if batch.prompts is None else _hidden_after(model, batch, batch.prompts)
    logits_BTV = model.language_model.lm_head(hidden_BTD).float()
    all_logprobs_BTV = logits_BTV.log_softmax(dim=-1)
    logprobs_BT = all_logprobs_BTV.gather(-1, batch.response_ids_BT[..., None])[..., 0]
    entropy_BT = torch.zeros_like(logprobs_BT)
    if with_entropy:
        entropy_BT = -(all_logprobs_BTV.exp() * all_logprobs_BTV).sum(dim=-1)
    mask_BT = batch.response_mask_BT
    return Scored(logprobs_BT * mask_BT, entropy_BT * mask_BT, hidden_BTD)


def _hidden(model: AudioLanguageModel, batch: Batch) -> Tensor:
    hidden_BLD = model.forward_hidden(
        batch.input_ids_BL, frames=batch.frames, attention_mask_BL=batch.attention_mask_BL
    )
    return hidden_BLD.gather(1, batch.position_BT[..., None].expand(-1, -1, hidden_BLD.shape[-1]))


def _hidden_after(model: AudioLanguageModel, batch: Batch, prompts: Prompts) -> Tensor:
    """The same, with each prompt once: its last state predicts the first token, the tokens said the rest."""
    memory, lengths_B = RememberedSequences(), prompts.lengths_N[prompts.of_B]
    hidden_NPD = model.forward_hidden(prompts.input_ids_NP, frames=prompts.frames, memory=memory)
    last_N1D = hidden_NPD.gather(1, (prompts.lengths_N - 1)[:, None, None].expand(-1, 1, hidden_NPD.shape[-1]))
    first_B1D = last_N1D.index_select(0, prompts.of_B)  # as in `AfterPrompts`: indexing would not be repeatable
    longest = batch.response_ids_BT.shape[1]
    length = max(longest - 1, 1)  # one at least: processes that share the weights all go through the network twice
    said_BS, real_BS = batch.response_ids_BT[:, :length], batch.response_mask_BT[:, :length].long()
    then_BSD = model.language_model(
        model.language_model.embed(said_BS),
        positions_BL=(lengths_B[:, None] + torch.arange(length)) * real_BS,  # a pad's may lie beyond the table
        memory=AfterPrompts(memory, lengths_N=prompts.lengths_N, prompt_of_B=prompts.of_B, length=length),
    )
    return torch.cat([first_B1D, then_BSD], dim=1)[:, :longest]


def masked_mean(values_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Mean over real tokens of the batch."""
    return (values_BT * mask_BT).sum() / mask_BT.sum().clamp(min=1)
