"""Where a sequence's keys and values come from: the one difference between learning and generating.

The language model computes queries, keys and values and asks a `Memory` to attend. `WholeSequences`
is the memory of training and prefill; the engine's cache is the memory of generation.

Shapes: B sequences, L positions, H query heads, G key/value heads, K head size; N prompts of P positions, C columns.
"""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Memory(Protocol):
    """Attends for one layer at a time."""

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        """The attended values, [B, L, H, K]."""


class WholeSequences:
    """Causal attention over whole right-padded sequences.

    A pad comes after every real position, so no real position can see one and no mask is needed;
    what the model says at pads is meaningless.
    """

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        q, k, v = (heads.transpose(1, 2) for heads in (q_BLHK, k_BLGK, v_BLGK))
        if wants_plain_products(q):
            return plain_attention(q, k, v, mask=_causal(q.shape[2])).transpose(1, 2)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2)


def wants_plain_products(q_BHLK: Tensor) -> bool:
    """bfloat16 on a CPU: the fused kernel calls one small product per head and block there, which
    takes five times as long as whole products up to some hundreds of positions.
    """
    return q_BHLK.device.type == "cpu" and q_BHLK.dtype == torch.bfloat16 and q_BHLK.shape[2] <= 512


def plain_attention(q_BHLK: Tensor, k_BGLK: Tensor, v_BGLK: Tensor, *, mask: Tensor | None) -> Tensor:
    """Attention as two products; query heads share the keys of their group. True in the mask is seen."""
    batch, heads, length, size = q_BHLK.shape
    groups = k_BGLK.shape[1]
    q_NMK = (q_BHLK * size**-0.5).reshape(batch * groups, heads // groups * length, size)
    k_NKL = k_BGLK.transpose(2, 3).reshape(batch * groups, size, -1)
    v_NLK = v_BGLK.reshape(batch * groups, -1, size)
    scores_BHLL = torch.bmm(q_NMK, k_NKL).view(batch, heads, length, -1)
    if mask is not None:
        scores_BHLL = scores_BHLL + torch.zeros_like(mask, dtype=scores_BHLL.dtype).masked_fill_(~mask, -torch.inf)
    weights_NML = scores_BHLL.softmax(-1).view(batch * groups, heads // groups * length, -1)
    return torch.bmm(weights_NML, v_NLK).view(batch, heads, length, size)


def _causal(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool).tril()


class AfterPrompts:
    """Causal attention of right-padded continuations, each after one of some remembered, right-padded prompts.

    Several may follow the same prompt, which then went through the network once; what they learn flows back to it.
    """

    def __init__(self, prompts: "RememberedSequences", *, lengths_N: Tensor, prompt_of_B: Tensor, length: int) -> None:
        self._prompts, self._prompt_of_B = prompts, prompt_of_B
        columns_P = torch.arange(prompts.keys_BLGK[0].shape[1], device=lengths_N.device)
        heard_BP = columns_P < lengths_N[prompt_of_B, None]
        own_LL = _causal(length).to(lengths_N.device)
        batch = len(prompt_of_B)
        self._mask_B1LC = torch.cat(
            [heard_BP[:, None].expand(-1, length, -1), own_LL.expand(batch, -1, -1)], dim=-1
        ).unsqueeze(1)

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        k_BCGK = torch.cat([self._of_prompts(self._prompts.keys_BLGK[layer]), k_BLGK], dim=1)
        v_BCGK = torch.cat([self._of_prompts(self._prompts.values_BLGK[layer]), v_BLGK], dim=1)
        q, k, v = (heads.transpose(1, 2) for heads in (q_BLHK, k_BCGK, v_BCGK))
        if wants_plain_products(q):
            return plain_attention(q, k, v, mask=self._mask_B1LC).transpose(1, 2)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self._mask_B1LC, enable_gqa=True).transpose(1, 2)

    def _of_prompts(self, heads_NPGK: Tensor) -> Tensor:
        """Not by indexing: its gradient is summed in whatever order the threads come, so no run would be repeatable."""
        return heads_NPGK.index_select(0, self._prompt_of_B)


class RememberedSequences(WholeSequences):
    """Whole sequences whose keys and values are kept, layer by layer, to go on from."""

    def __init__(self) -> None:
        self.keys_BLGK: list[Tensor] = []
        self.values_BLGK: list[Tensor] = []

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        self.keys_BLGK.append(k_BLGK)
        self.values_BLGK.append(v_BLGK)
        return super().attend(layer, q_BLHK, k_BLGK, v_BLGK)
