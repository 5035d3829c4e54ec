"""Padding and the order of batches."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from model.learning.batching import TokenSequence, collate, shuffled_batches
from tests.unit.learning.tiny import frames

rows_strategy = st.lists(
    st.builds(
        TokenSequence,
        st.lists(st.integers(1, 99), min_size=1, max_size=6).map(tuple),
        st.lists(st.integers(1, 99), min_size=1, max_size=6).map(tuple),
    ),
    min_size=1,
    max_size=5,
)


@given(rows_strategy)
def test_collate_keeps_every_token_where_the_mask_says(rows: list[TokenSequence]) -> None:
    batch = collate(rows, pad_id=0)
    assert batch.tokens == sum(row.length for row in rows)
    for b, row in enumerate(rows):
        size = len(row.response_ids)
        assert batch.input_ids_BL[b].tolist()[: row.length] == [*row.prompt_ids, *row.response_ids]
        assert not batch.input_ids_BL[b, row.length :].any()
        assert batch.attention_mask_BL[b].tolist() == [int(i < row.length) for i in range(batch.input_ids_BL.shape[1])]
        assert batch.response_mask_BT[b].sum() == size
        assert batch.response_ids_BT[b].tolist()[:size] == list(row.response_ids)


@given(rows_strategy)
def test_each_position_stands_one_before_the_token_it_predicts(rows: list[TokenSequence]) -> None:
    batch = collate(rows, pad_id=0)
    for b, row in enumerate(rows):
        for t, token in enumerate(row.response_ids):
            assert batch.input_ids_BL[b, batch.position_BT[b, t] + 1] == token


def test_sound_is_gathered_in_reading_order() -> None:
    first, second, third = (frames(4, seed=seed) for seed in range(3))
    rows = [TokenSequence((1,), (2,), (first, second)), TokenSequence((1,), (2,)), TokenSequence((1,), (2,), (third,))]
    found = collate(rows, pad_id=0).frames
    assert [id(x) for x in found] == [id(first), id(second), id(third)]


@given(count=st.integers(1, 70), batch_size=st.integers(1, 9), seed=st.integers(0, 99))
def test_an_epoch_holds_every_row_exactly_once(count: int, batch_size: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    lengths = [(7 * i) % 13 for i in range(count)]
    batches = list(shuffled_batches(count, lengths=lengths, batch_size=batch_size, generator=generator))
    assert sorted(i for batch in batches for i in batch) == list(range(count))
    assert len(batches) == -(-count // batch_size)
    assert all(len(batch) <= batch_size for batch in batches)


def test_the_seed_decides_the_order() -> None:
    def order(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        return list(shuffled_batches(50, lengths=[1] * 50, batch_size=8, generator=generator))

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_batches_hold_rows_of_like_length() -> None:
    lengths = torch.randint(10, 200, (128,), generator=torch.Generator().manual_seed(0)).tolist()
    batches = list(shuffled_batches(128, lengths=lengths, batch_size=8, generator=torch.Generator().manual_seed(0)))
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert padded < 1.3 * sum(lengths)


def test_length_counts_prompt_and_response() -> None:
    assert TokenSequence((1, 2, 3), (4, 5)).length == 5
