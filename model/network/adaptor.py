"""The adaptor: encoder frames at 25 Hz to embeddings at 12.5 Hz in the language model's width.

Shapes: F frames at 25 Hz, P audio tokens at 12.5 Hz, E encoder width, D language model width.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from model.network.lengths import adaptor_token_count


class Adaptor(nn.Module):
    """A stride-2 convolution and two linear layers; a clip's tokens do not depend on its batch mates."""

    def __init__(self, encoder_width: int, *, hidden_width: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(encoder_width, encoder_width, kernel_size=3, stride=2, padding=1)
        self.linear1 = nn.Linear(encoder_width, hidden_width)
        self.linear2 = nn.Linear(hidden_width, width)

    def forward(self, frames: Sequence[Tensor]) -> Tensor:
        """Clips `frames_FE` to all their audio tokens one after the other, [sum of P, D]."""
        frames_BFE = pad_sequence([clip.to(self.conv.weight) for clip in frames], batch_first=True)
        frames_BFE = F.pad(frames_BFE, (0, 0, 0, int(frames_BFE.shape[1] == 0)))
        x_BPE = F.gelu(self.conv(frames_BFE.transpose(1, 2))).transpose(1, 2)
        x_NE = torch.cat([clip[: adaptor_token_count(len(source))] for clip, source in zip(x_BPE, frames, strict=True)])
        return self.linear2(F.relu(self.linear1(x_NE)))
