"""Keys and values of the running rows, on one shared clock.

Every row ends at the same column, `now`, wherever it began: a prompt that joins is placed to end
there. So one slice writes the new token of all rows and one slice reads what they may see; only rows
of different starts need a mask. Rows that leave are filled from the end; columns before the oldest
start are given up when room is needed.

Shapes: B running rows, G key/value heads, H query heads, K head size, C columns, P prompt length.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Qwen2Config

from model.network.attention import RememberedSequences
from model.network.language_model import head_size

_FIRST_COLUMNS = 256
_FILL_LIMIT = 0.75
"""After a move at most this share of the columns is used, so that moves stay rare."""


class KVCache:
    """The memory of generation: attends for one new token in every row."""

    def __init__(self, config: Qwen2Config, *, device: torch.device, dtype: torch.dtype) -> None:
        self.now = 0
        self._starts: list[int] = []
        self._heads, self._head_size = config.num_key_value_heads, head_size(config)
        empty = torch.empty(0, self._heads, _FIRST_COLUMNS, self._head_size, device=device, dtype=dtype)
        self._keys = [empty] * config.num_hidden_layers
        self._values = [empty] * config.num_hidden_layers
        self._starts_B = torch.zeros(0, dtype=torch.long, device=device)
        self._mask: Tensor | None = None
        self._first = 0
        self._ragged = False

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, prompts: RememberedSequences, *, lengths: Sequence[int], copies: Sequence[int]) -> None:
        """Add each remembered prompt as many times as `copies` says, in order."""
        self._make_room(rows=len(self) + sum(copies), now=max(self.now, *lengths))
        for source, (length, count) in enumerate(zip(lengths, copies, strict=True)):
            rows = slice(len(self), len(self) + count)
            columns = slice(self.now - length, self.now)
            for layer in range(len(self._keys)):
                self._keys[layer][rows, :, columns] = prompts.keys_BLGK[layer][source, :length].transpose(0, 1)
                self._values[layer][rows, :, columns] = prompts.values_BLGK[layer][source, :length].transpose(0, 1)
            self._starts += [self.now - length] * count
        self._starts_changed()

    def keep(self, order: Sequence[int]) -> None:
        """Row j becomes what row order[j] was; rows not named leave."""
        columns = slice(self._first, self.now)
        for target, source in enumerate(order):
            if target != source:
                for tensor in (*self._keys, *self._values):
                    tensor[target, :, columns] = tensor[source, :, columns]
        self._starts = [self._starts[row] for row in order]
        if not self._starts:
            self.now = 0
        self._starts_changed()

    def next_positions(self) -> Tensor:
        """Open a column for the next token of every row and say its positions, [B, 1]."""
        if self.now == self._keys[0].shape[2]:
            self._make_room(rows=len(self), now=self.now)
        positions_B1 = (self.now - self._starts_B)[:, None]
        self.now += 1
        self._mask = None
        if self._ragged:
            columns = torch.arange(self._first, self.now, device=self._starts_B.device)
            self._mask = (columns >= self._starts_B[:, None])[:, None, None, :]
        return positions_B1

    def attend(self, layer: int, q_BLHK: Tensor, k_BLGK: Tensor, v_BLGK: Tensor) -> Tensor:
        """Write the token's key and value, attend to all of the row. Heads that share keys go as one query block."""
        rows = len(self._starts)
        keys, values = self._keys[layer][:rows], self._values[layer][:rows]
        keys[:, :, self.now - 1] = k_BLGK[:, 0]
        values[:, :, self.now - 1] = v_BLGK[:, 0]
        seen = slice(self._first, self.now)
        q_BGQK = q_BLHK.view(rows, self._heads, -1, self._head_size)
        heard = F.scaled_dot_product_attention(q_BGQK, keys[:, :, seen], values[:, :, seen], attn_mask=self._mask)
        return heard.reshape(rows, 1, -1, self._head_size)

    def _starts_changed(self) -> None:
        self._first = min(self._starts, default=0)
        self._ragged = max(self._starts, default=0) > self._first
        self._starts_B = torch.tensor(self._starts, dtype=torch.long, device=self._starts_B.device)

    def _make_room(self, *, rows: int, now: int) -> None:
        """Let `rows` rows fit and the clock stand at `now` or later, with a free column after it."""
        have_rows, _heads, columns, _size = self._keys[0].shape
        if rows <= have_rows and now < columns and (now == self.now or not self._starts):
            self.now = now
            return
        moved_now = max(now if now > self.now else 0, self.now - self._first)
        while moved_now > columns * _FILL_LIMIT:
            columns *= 2
        new_rows = have_rows if rows <= have_rows else max(rows, 2 * have_rows)
        self._keys = [self._moved(old, rows=new_rows, columns=columns, now=moved_now) for old in self._keys]
        self._values = [self._moved(old, rows=new_rows, columns=columns, now=moved_now) for old in self._values]
        self._starts = [start - self.now + moved_now for start in self._starts]
        self.now = moved_now
        self._starts_changed()

    def _moved(self, old: Tensor, *, rows: int, columns: int, now: int) -> Tensor:
        """A new buffer with the used columns ending at `now`; zeros elsewhere, since masked numbers must be finite."""
        new = old.new_zeros(rows, old.shape[1], columns, old.shape[3])
        used = self.now - self._first
        new[: len(self), :, now - used : now] = old[: len(self), :, self._first : self.now]
        return new
