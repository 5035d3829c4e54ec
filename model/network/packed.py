"""Linear layers that use oneDNN's packed weights while nobody learns: up to twice as fast on a CPU.

Packing costs a copy of the weights and goes stale when they change, so it holds only inside
`packed_products()`, which whoever generates opens for as long as the weights stand still. The kernel
is the one torch's own compiler uses; where it is missing the layers are ordinary ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FEW_ROWS = 8
"""Below, oneDNN's overhead outweighs its speed."""

_packs: ContextVar[dict[nn.Module, Tensor] | None] = ContextVar("packs", default=None)


@contextmanager
def packed_products() -> Iterator[None]:
    """Pack each layer's weights at its first use in this thread, and forget them at the end."""
    available = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    token = _packs.set({} if available else None)
    try:
        yield
    finally:
        _packs.reset(token)


class PackableLinear(nn.Linear):
    """An ordinary linear layer, but for inference in fp32 on a CPU inside `packed_products()`."""

    def forward(self, x: Tensor) -> Tensor:
        packs = _packs.get()
        if packs is None or not self._worth_packing(x):
            return F.linear(x, self.weight, self.bias)
        if self not in packs:
            packs[self] = torch.ops.mkldnn._reorder_linear_weight(self.weight, None)  # noqa: SLF001
        return torch.ops.mkldnn._linear_pointwise(x, packs[self], self.bias, "none", [], "")  # noqa: SLF001

    def _worth_packing(self, x: Tensor) -> bool:
        plain = x.dtype == torch.float32 and x.device.type == "cpu" and torch.is_inference_mode_enabled()
        return plain and x.numel() >= _FEW_ROWS * self.in_features
