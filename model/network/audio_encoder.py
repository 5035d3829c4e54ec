"""The audio encoder: log-mel at 100 frames a second in, frames at 25 a second out.

Whisper's encoder (two convolutions, pre-norm blocks, sinusoidal positions), an average pool of two
and a last norm, with the released checkpoint's names. Clips of any length up to a chunk go through
one padded batch; a clip's frames do not depend on its batch mates, since padding is masked in
attention and never reached by the convolutions of a frame that counts.

Shapes: B clips, T mel frames (100 Hz), S frames at 50 Hz, F frames at 25 Hz, M mel bins, E width.
"""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.network.attention import plain_attention, wants_plain_products
from model.network.config import AudioEncoderConfig
from model.network.constant import Constant
from model.network.errors import NetworkError
from model.network.lengths import MAX_CHUNK_MEL_FRAMES, attended_frame_count, encoder_frame_count
from model.network.packed import PackableLinear

_SHORTEST_BATCH_FRAMES = 4
"""The convolution and the pool need this many frames to return anything at all."""


class AudioEncoder(nn.Module):
    """Encodes a list of clips; see the module's docstring for the promise about batches."""

    def __init__(self, config: AudioEncoderConfig) -> None:
        super().__init__()
        width = config.hidden_size
        longest = attended_frame_count(MAX_CHUNK_MEL_FRAMES) + 1
        self._positions = Constant(partial(sinusoids, longest, width=width))
        self.conv1 = nn.Conv1d(config.num_mel_bins, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(width, width, kernel_size=3, stride=2, padding=1)
        blocks = (EncoderBlock(width, config.num_attention_heads) for _ in range(config.num_hidden_layers))
        self.blocks = nn.ModuleList(blocks)
        self.after_norm = nn.LayerNorm(width)

    def forward(self, mels: Sequence[Tensor]) -> list[Tensor]:
        """Clips `mel_TM` to frames `frames_FE`, in the same order."""
        if not mels:
            return []
        mel_frames = [_checked_length(mel_TM) for mel_TM in mels]
        keys = torch.tensor([attended_frame_count(frames) for frames in mel_frames])
        x_BSE = self._stem(_padded(mels, to=self.conv1.weight))[:, : max(1, int(keys.max()))]
        mask = _key_mask(keys, length=x_BSE.shape[1]).to(x_BSE.device) if len(set(mel_frames)) > 1 else None
        for block in self.blocks:
            x_BSE = block(x_BSE, mask=mask)
        x_BFE = self.after_norm(_pooled(x_BSE))
        return [clip[: encoder_frame_count(frames)] for clip, frames in zip(x_BFE, mel_frames, strict=True)]

    def _stem(self, mel_BTM: Tensor) -> Tensor:
        x_BET = F.gelu(self.conv1(mel_BTM.transpose(1, 2)))
        x_BSE = F.gelu(self.conv2(x_BET)).transpose(1, 2)
        return x_BSE + self._positions.on(x_BSE.device)[: x_BSE.shape[1]].to(x_BSE.dtype)


class EncoderBlock(nn.Module):
    """A pre-norm transformer block that sees the whole clip."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = EncoderAttention(width, heads)
        self.attn_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(PackableLinear(width, 4 * width), nn.GELU(), PackableLinear(4 * width, width))
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x_BSE: Tensor, *, mask: Tensor | None) -> Tensor:
        x_BSE = x_BSE + self.attn(self.attn_ln(x_BSE), mask=mask)
        return x_BSE + self.mlp(self.mlp_ln(x_BSE))


class EncoderAttention(nn.Module):
    """Attention in both directions; Whisper's keys have no bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = PackableLinear(width, width)
        self.key = PackableLinear(width, width, bias=False)
        self.value = PackableLinear(width, width)
        self.out = PackableLinear(width, width)

    def forward(self, x_BSE: Tensor, *, mask: Tensor | None) -> Tensor:
        q, k, v = (
            part(x_BSE).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        if wants_plain_products(q):
            heard = plain_attention(q, k, v, mask=mask)
        else:
            heard = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(heard.transpose(1, 2).flatten(2))


def sinusoids(length: int, *, width: int) -> Tensor:
    """Whisper's fixed positions [length, width]: sines in the first half, cosines in the second."""
    half = width // 2
    rates = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _checked_length(mel_TM: Tensor) -> int:
    frames = mel_TM.shape[0]
    if frames > MAX_CHUNK_MEL_FRAMES:
        raise NetworkError(
            "CLIP_TOO_LONG",
            f"an audio item has {frames} mel frames, the limit is {MAX_CHUNK_MEL_FRAMES} (25 s): "
            "cut the sound into chunks and pass each as an audio item of its own",
        )
    return frames


def _padded(mels: Sequence[Tensor], *, to: Tensor) -> Tensor:
    frames = max(_SHORTEST_BATCH_FRAMES, *(mel_TM.shape[0] for mel_TM in mels))
    return torch.stack([F.pad(mel_TM.to(to), (0, 0, 0, frames - mel_TM.shape[0])) for mel_TM in mels])


def _key_mask(keys_B: Tensor, *, length: int) -> Tensor:
    """True where attention may look, [B, 1, 1, S]; a clip too short for one frame still sees one key."""
    return (torch.arange(length) < keys_B.clamp(min=1)[:, None])[:, None, None, :]


def _pooled(x_BSE: Tensor) -> Tensor:
    frames = x_BSE.shape[1] // 2
    return x_BSE[:, : 2 * frames].unflatten(1, (frames, 2)).mean(2)
