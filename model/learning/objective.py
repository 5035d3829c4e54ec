"""Log-likelihood of responses under the model: what every objective here is made of.

Logits are computed at response positions only; prompts and padding never meet the vocabulary.
Shapes: B rows, T response tokens, D width, V vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from model.learning.batching import Batch
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
    hidden_BLD = model.forward_hidden(
        batch.input_ids_BL, frames=batch.frames, attention_mask_BL=batch.attention_mask_BL
    )
    index_BTD = batch.position_BT[..., None].expand(-1, -1, hidden_BLD.shape[-1])
    hidden_BTD = hidden_BLD.gather(1, index_BTD)
    logits_BTV = model.language_model.lm_head(hidden_BTD).float()
    all_logprobs_BTV = logits_BTV.log_softmax(dim=-1)
    logprobs_BT = all_logprobs_BTV.gather(-1, batch.response_ids_BT[..., None])[..., 0]
    entropy_BT = torch.zeros_like(logprobs_BT)
    if with_entropy:
        entropy_BT = -(all_logprobs_BTV.exp() * all_logprobs_BTV).sum(dim=-1)
    mask_BT = batch.response_mask_BT
    return Scored(logprobs_BT * mask_BT, entropy_BT * mask_BT, hidden_BTD)


def masked_mean(values_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Mean over real tokens of the batch."""
    return (values_BT * mask_BT).sum() / mask_BT.sum().clamp(min=1)
