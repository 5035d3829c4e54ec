"""Fixed tensors that modules need but no checkpoint holds."""

from collections.abc import Callable

import torch
from torch import Tensor


class Constant:
    """Made at first use on the device of use, so that a model on the meta device needs none.

    Made outside inference mode, so that generating first does not spoil training later.
    """

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self._make = make
        self._tensor: Tensor | None = None

    def on(self, device: torch.device) -> Tensor:
        if self._tensor is None or self._tensor.device != device:
            with torch.inference_mode(False), torch.device("cpu"):
                self._tensor = self._make().to(device)
        return self._tensor
