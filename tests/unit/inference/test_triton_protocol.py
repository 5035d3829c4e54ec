"""What gateway and backend say to each other survives the way, and differing releases notice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.triton.client import request_of
from services.inference.triton.protocol import Ask, End, Event, MelFrames, Piece

optional = st.none() | st.integers(1, 2**40)
asks = st.builds(
    Ask, question=st.text(), choices=st.lists(st.text()).map(tuple), think=st.booleans(), max_new_tokens=optional,
    temperature=st.none() | st.floats(0, 2), seed=optional,
)  # fmt: skip


@given(asks)
def test_a_question_survives_the_way(ask: Ask) -> None:
    assert Ask.from_json(ask.to_json()) == ask


@given(st.text(), st.integers(0, 99))
def test_an_event_survives_the_way(text: str, tokens: int) -> None:
    event = Event((Piece("reasoning", text, tokens),), End("stop", tokens, 1, answer_logprob=-0.25))
    assert Event.from_json(event.to_json()) == event


def test_a_field_of_another_release_is_an_error() -> None:
    with pytest.raises(ValueError, match="beam_width"):
        Ask.from_json(json.dumps({"question": "?", "beam_width": 4}).encode())


def test_frames_must_fill_their_chunks() -> None:
    assert MelFrames(bytes(3 * 512), (1, 2)).chunk_frames == (1, 2)
    with pytest.raises(ValueError, match="expected"):
        MelFrames(bytes(3 * 512), (1, 1))


def test_a_question_without_sound_carries_no_mel() -> None:
    silent = request_of("m", ask=Ask("?"), mel=MelFrames())
    assert [tensor.name for tensor in silent.inputs] == ["REQUEST"]
    loud = request_of("m", ask=Ask("?"), mel=MelFrames(bytes(3 * 512), (1, 2)))
    assert [(tensor.name, list(tensor.shape)) for tensor in loud.inputs[1:]] == [
        ("MEL", [3, 128]),
        ("CHUNK_FRAMES", [2]),
    ]
