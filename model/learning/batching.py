"""Sequences become padded batches; the positions whose tokens are learnt lie in one block.

Shapes: B rows, L padded length, T longest response, N distinct prompts, P longest of them. A row is prompt then
response; only the response is learnt. `position_BT` names the hidden state that predicts each response token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True)
class TokenSequence:
    """One row: prompt and response ids with the encoder frames of its audio items in reading order."""

    prompt_ids: tuple[int, ...]
    response_ids: tuple[int, ...]
    frames: tuple[Tensor, ...] = ()

    @property
    def length(self) -> int:
        """Tokens of prompt and response."""
        return len(self.prompt_ids) + len(self.response_ids)


@dataclass(frozen=True)
class Prompts:
    """The distinct prompts of a batch."""

    input_ids_NP: Tensor
    lengths_N: Tensor
    of_B: Tensor
    """Which of them each row answers."""
    frames: list[Tensor]


@dataclass(frozen=True)
class Batch:
    """A padded batch."""

    input_ids_BL: Tensor
    attention_mask_BL: Tensor
    position_BT: Tensor
    response_ids_BT: Tensor
    response_mask_BT: Tensor
    frames: list[Tensor]
    prompts: Prompts | None = None
    """Where they are to go through the network but once, however many rows answer each."""

    @property
    def tokens(self) -> int:
        """Real tokens in the batch."""
        return int(self.attention_mask_BL.sum())


def collate(rows: Sequence[TokenSequence], *, pad_id: int, prompts_once: bool = False) -> Batch:
    """Right-pads rows to the longest one; `prompts_once` pays where several rows answer the same prompt."""
    width = max(row.length for row in rows)
    reach = max(len(row.response_ids) for row in rows)
    input_ids_BL = torch.full((len(rows), width), pad_id)
    attention_mask_BL = torch.zeros((len(rows), width), dtype=torch.long)
    position_BT = torch.zeros((len(rows), reach), dtype=torch.long)
    response_ids_BT = torch.full((len(rows), reach), pad_id)
    response_mask_BT = torch.zeros((len(rows), reach))
    for b, row in enumerate(rows):
        start, size = len(row.prompt_ids), len(row.response_ids)
        input_ids_BL[b, : row.length] = torch.tensor(row.prompt_ids + row.response_ids)
        attention_mask_BL[b, : row.length] = 1
        position_BT[b, :size] = torch.arange(start - 1, start - 1 + size)
        response_ids_BT[b, :size] = torch.tensor(row.response_ids)
        response_mask_BT[b, :size] = 1
    frames = [frames_FE for row in rows for frames_FE in row.frames]
    prompts = _distinct_prompts(rows, pad_id) if prompts_once else None
    return Batch(input_ids_BL, attention_mask_BL, position_BT, response_ids_BT, response_mask_BT, frames, prompts)


def _distinct_prompts(rows: Sequence[TokenSequence], pad_id: int) -> Prompts:
    alike: dict[tuple[int, ...], list[int]] = {}
    distinct: list[TokenSequence] = []
    of_rows: list[int] = []
    for row in rows:
        places = alike.setdefault(row.prompt_ids, [])
        place = next((place for place in places if _same_sound(distinct[place], row)), None)
        if place is None:
            place = len(distinct)
            places.append(place)
            distinct.append(row)
        of_rows.append(place)
    ids = [torch.tensor(row.prompt_ids) for row in distinct]
    return Prompts(
        pad_sequence(ids, batch_first=True, padding_value=pad_id),
        torch.tensor([len(row.prompt_ids) for row in distinct]),
        torch.tensor(of_rows),
        [frames_FE for row in distinct for frames_FE in row.frames],
    )


def _same_sound(one: TokenSequence, other: TokenSequence) -> bool:
    return len(one.frames) == len(other.frames) and all(map(torch.equal, one.frames, other.frames))


def shuffled_batches(
    count: int, *, lengths: Sequence[int], batch_size: int, generator: torch.Generator
) -> Iterator[list[int]]:
    """Indices of one epoch: shuffled, then of like length within a window of eight batches.

    Batches of like length carry little padding; the order of batches stays random.
    """
    order = torch.randperm(count, generator=generator).tolist()
    window = 8 * batch_size
    batches: list[list[int]] = []
    for start in range(0, count, window):
        near = sorted(order[start : start + window], key=lambda index: lengths[index])
        batches += [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
    for index in torch.randperm(len(batches), generator=generator).tolist():
        yield batches[index]
