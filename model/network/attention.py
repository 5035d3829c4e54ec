"""Where a sequence's keys and values come from: the one difference between learning and generating.

The language model computes queries, keys and values and asks a `Memory` to attend. `WholeSequences`
is the memory of training and prefill; the engine's cache is the memory of generation.

Shapes: B sequences, L positions, H query heads, G key/value heads, K head size.
"""

from typing import Protocol

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
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2)


class RememberedSequences(WholeSequences):
    """Whole sequences whose keys and values are kept, layer by layer, to go on from."""

    def __init__(self) -> None:
        self.keys_BLGK: list[Tensor] = []
        self.values_BLGK: list[Tensor] = []

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        self.keys_BLGK.append(k_BLGK)
        self.values_BLGK.append(v_BLGK)
        return super().attend(layer, q_BLHK, k_BLGK, v_BLGK)
