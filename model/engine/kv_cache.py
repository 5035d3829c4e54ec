"""Keys and values of the running rows, on one shared clock, with prompts shared by their groups.

Every row's newest token stands in the same column, `now`, wherever the row began: a prompt that
joins is placed to end there. So one slice writes the new token of all rows and one slice reads what
they may see; only rows of different origins need a mask. The prompt of a large group is kept once and
read once for all its rows; a row then holds only what it said itself.

Shapes: B running rows, N rows of a segment, G key/value heads, Q query heads for each, K head size,
C columns, P prompt length, T own tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Qwen2Config

from model.network.attention import RememberedSequences
from model.network.language_model import head_size, kv_heads

_FIRST_COLUMNS = 256
_FILL_LIMIT = 0.75
"""After a move at most this share of the columns is used, so that moves stay rare."""
_SHARED_FROM_ROWS = 4
"""Smaller groups copy their prompt: one call for all rows is then worth more than reading it once."""


@dataclass(frozen=True)
class Prefix:
    """A prompt kept once: for each layer keys and values [G, P, K]."""

    keys_GPK: list[Tensor]
    values_GPK: list[Tensor]

    @property
    def length(self) -> int:
        return self.keys_GPK[0].shape[1]


@dataclass(frozen=True)
class Segment:
    """Neighbouring rows attended to in one call: a group with its prefix, or rows without one."""

    rows: int
    prefix: Prefix | None = None


@dataclass(frozen=True)
class View:
    """What one segment reads in the current step."""

    rows: slice
    columns: slice
    mask: Tensor | None
    prefix: Prefix | None

    def attend(self, layer: int, q_BGQK: Tensor, k_BGCK: Tensor, v_BGCK: Tensor) -> Tensor:
        """The rows' attended values, [N, G, Q, K]."""
        q = q_BGQK[self.rows]
        k, v = (cache[self.rows, :, self.columns] for cache in (k_BGCK, v_BGCK))
        if self.prefix is None:
            return F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask)
        return attend_with_prefix(q, k, v, self.prefix.keys_GPK[layer], self.prefix.values_GPK[layer])


def attend_with_prefix(
    q_NGQK: Tensor, k_NGTK: Tensor, v_NGTK: Tensor, prefix_k_GPK: Tensor, prefix_v_GPK: Tensor
) -> Tensor:
    """Attention over a prefix common to all rows and each row's own tokens, under one softmax; [N, G, Q, K]."""
    rows, heads, queries, size = q_NGQK.shape
    q_NGQK = q_NGQK * size**-0.5
    to_prefix_GMP = q_NGQK.transpose(0, 1).reshape(heads, -1, size) @ prefix_k_GPK.transpose(1, 2)
    to_own_NGQT = q_NGQK @ k_NGTK.transpose(2, 3)
    scores_GNQC = torch.cat([to_prefix_GMP.unflatten(1, (rows, queries)), to_own_NGQT.transpose(0, 1)], dim=-1)
    weights_GNQC = scores_GNQC.softmax(-1, dtype=torch.float).to(v_NGTK.dtype)
    to_prefix_GNQP, to_own_GNQT = weights_GNQC.tensor_split((prefix_k_GPK.shape[1],), dim=-1)
    from_prefix_GMK = to_prefix_GNQP.flatten(1, 2) @ prefix_v_GPK
    from_own_NGQK = to_own_GNQT.transpose(0, 1) @ v_NGTK
    return from_own_NGQK + from_prefix_GMK.unflatten(1, (rows, queries)).transpose(0, 1)


class KVCache:
    """The memory of generation: attends for one new token in every row."""

    def __init__(self, config: Qwen2Config, *, device: torch.device, dtype: torch.dtype) -> None:
        self._heads, self._head_size = kv_heads(config), head_size(config)
        empty = torch.empty(0, self._heads, _FIRST_COLUMNS, self._head_size, device=device, dtype=dtype)
        self._keys = [empty] * config.num_hidden_layers
        self._values = [empty] * config.num_hidden_layers
        self._device = device
        self._now = 0
        self._origins: list[int] = []
        """For each row the column where its position 0 is, or would be had it no prefix."""
        self._segments: list[Segment] = []
        self._views: list[View] = []
        self._origins_changed()

    def __len__(self) -> int:
        return len(self._origins)

    def add(self, prompts: RememberedSequences, *, lengths: Sequence[int], copies: Sequence[int]) -> None:
        """Add each remembered prompt as many times as `copies` says, in order, behind the rows there are."""
        copied = [length for length, count in zip(lengths, copies, strict=True) if count < _SHARED_FROM_ROWS]
        self._make_room(rows=len(self) + sum(copies), now=max([self._now, *copied]))
        for source, (length, count) in enumerate(zip(lengths, copies, strict=True)):
            if count < _SHARED_FROM_ROWS:
                self._copy(prompts, source, length=length, count=count)
            prefix = _prefix(prompts, source, length=length) if count >= _SHARED_FROM_ROWS else None
            self._segments.append(Segment(count, prefix))
            self._origins += [self._now - length] * count
        self._origins_changed()

    def keep(self, rows: Sequence[int]) -> None:
        """Only these rows stay, in their order."""
        if rows and len(rows) < len(self):
            kept, columns = torch.tensor(rows, device=self._device), slice(self._first, self._now)
            for tensor in (*self._keys, *self._values):
                tensor[: len(rows), :, columns] = tensor[kept, :, columns]
        staying, self._segments = set(rows), self._left_segments(set(rows))
        self._origins = [origin for row, origin in enumerate(self._origins) if row in staying]
        self._now = self._now if rows else 0
        self._origins_changed()

    def next_positions(self) -> Tensor:
        """Open a column for the next token of every row and say its positions, [B, 1]."""
        if self._now == self._keys[0].shape[2]:
            self._make_room(rows=len(self), now=self._now)
        positions_B1 = (self._now - self._origins_B)[:, None]
        self._now += 1
        self._views = self._current_views()
        return positions_B1

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        """Write the token's key and value and attend. Query heads that share keys go as one block."""
        keys, values, rows = self._keys[layer], self._values[layer], len(self)
        keys[:rows, :, self._now - 1] = k_BLGK[:, 0]
        values[:rows, :, self._now - 1] = v_BLGK[:, 0]
        q_BGQK = q_BLHK.view(rows, self._heads, -1, self._head_size)
        heard = [view.attend(layer, q_BGQK, keys, values) for view in self._views]
        return (heard[0] if len(heard) == 1 else torch.cat(heard)).reshape(rows, 1, -1, self._head_size)

    def _copy(self, prompts: RememberedSequences, source: int, *, length: int, count: int) -> None:
        rows = slice(len(self), len(self) + count)
        columns = slice(self._now - length, self._now)
        for layer, (keys_BLGK, values_BLGK) in enumerate(zip(prompts.keys_BLGK, prompts.values_BLGK, strict=True)):
            self._keys[layer][rows, :, columns] = keys_BLGK[source, :length].transpose(0, 1)
            self._values[layer][rows, :, columns] = values_BLGK[source, :length].transpose(0, 1)

    def _left_segments(self, staying: set[int]) -> list[Segment]:
        left, first = [], 0
        for segment in self._segments:
            rows = sum(row in staying for row in range(first, first + segment.rows))
            first += segment.rows
            if rows:
                left.append(Segment(rows, segment.prefix))
        return left

    def _current_views(self) -> list[View]:
        views, first_row = [], 0
        for segment in self._segments:
            rows = slice(first_row, first_row + segment.rows)
            first_row += segment.rows
            origins = self._origins[rows]
            start = min(origins) + (segment.prefix.length if segment.prefix else 0)
            mask = None
            if max(origins) > min(origins):
                columns_C = torch.arange(start, self._now, device=self._device)
                mask = (columns_C >= self._origins_B[rows, None])[:, None, None, :]
            views.append(View(rows, slice(start, self._now), mask, segment.prefix))
        return views

    def _origins_changed(self) -> None:
        self._segments = _joined(self._segments)
        self._origins_B = torch.tensor(self._origins, dtype=torch.long, device=self._device)
        self._first = max(0, min(self._origins, default=0))

    def _make_room(self, *, rows: int, now: int) -> None:
        """Let `rows` rows fit and the clock stand at `now` or later, with a free column after it."""
        have_rows, _heads, columns, _size = self._keys[0].shape
        if rows <= have_rows and now < columns and (now == self._now or not self._origins):
            self._now = now
            return
        moved_now = max(now if now > self._now else 0, self._now - self._first)
        while moved_now > columns * _FILL_LIMIT:
            columns *= 2
        new_rows = have_rows if rows <= have_rows else max(rows, 2 * have_rows)
        self._keys = [self._moved(old, rows=new_rows, columns=columns, now=moved_now) for old in self._keys]
        self._values = [self._moved(old, rows=new_rows, columns=columns, now=moved_now) for old in self._values]
        self._origins = [origin - self._now + moved_now for origin in self._origins]
        self._now = moved_now
        self._origins_changed()

    def _moved(self, old: Tensor, *, rows: int, columns: int, now: int) -> Tensor:
        """A new buffer with the used columns ending at `now`; zeros elsewhere, since masked numbers must be finite."""
        new = old.new_zeros(rows, old.shape[1], columns, old.shape[3])
        used = self._now - self._first
        new[: len(self), :, now - used : now] = old[: len(self), :, self._first : self._now]
        return new


def _prefix(prompts: RememberedSequences, source: int, *, length: int) -> Prefix:
    keys, values = (
        [layer[source, :length].transpose(0, 1).contiguous() for layer in layers]
        for layers in (prompts.keys_BLGK, prompts.values_BLGK)
    )
    return Prefix(keys, values)


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """Neighbours without a prefix are one segment."""
    joined: list[Segment] = []
    for segment in segments:
        if joined and segment.prefix is None and joined[-1].prefix is None:
            joined[-1] = Segment(joined[-1].rows + segment.rows)
        else:
            joined.append(segment)
    return joined
