"""Linear layers that share their input, computed as one product but saved under their own names.

One large product costs less than three small ones, in training as in generation. Checkpoints keep
the separate names (`q_proj`, `k_proj`, …), so weights stay interchangeable with transformers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from model.network.packed import PackableLinear


class FusedLinear(PackableLinear):
    """`parts` are the names and output sizes of the layers, in the order of the fused rows."""

    def __init__(self, in_features: int, parts: Mapping[str, int], *, bias: bool) -> None:
        super().__init__(in_features, sum(parts.values()), bias=bias)
        self.parts = dict(parts)


def save_parts_separately(module: nn.Module) -> None:
    """Make `module.state_dict()` and `load_state_dict()` speak the separate names of all FusedLinears in it."""
    module.register_state_dict_post_hook(_split)
    module.register_load_state_dict_pre_hook(_join)


def _split(module: nn.Module, state: dict[str, Any], prefix: str, _metadata: object) -> None:
    for fused_key, part_keys, sizes in _fused_tensors(module, prefix):
        state.update(zip(part_keys, state.pop(fused_key).split(sizes), strict=True))


def _join(module: nn.Module, state: dict[str, Any], prefix: str, *_unused: object) -> None:
    for fused_key, part_keys, _sizes in _fused_tensors(module, prefix):
        if all(key in state for key in part_keys):
            parts: list[Tensor] = [state.pop(key) for key in part_keys]
            state[fused_key] = torch.cat(parts)


def _fused_tensors(module: nn.Module, prefix: str) -> Iterator[tuple[str, list[str], list[int]]]:
    for path, layer in module.named_modules(prefix=prefix.rstrip(".")):
        if not isinstance(layer, FusedLinear):
            continue
        parent = path.rpartition(".")[0]
        for kind in ("weight", "bias") if layer.bias is not None else ("weight",):
            keys = [f"{parent}.{name}.{kind}" for name in layer.parts]
            yield f"{path}.{kind}", keys, list(layer.parts.values())
