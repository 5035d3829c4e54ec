"""When an answer counts as right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.learning.answers import is_correct, normalise


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("cheerful", ("cheerful",)),
        ("  The  Cheerful, one! ", ("cheerful", "1")),
        ("a dog", ("dog",)),
        ("three sounds", ("3", "sounds")),
        ("twelve", ("12",)),
        ("３", ("3",)),
        ("120 beats per minute.", ("120", "beats", "per", "minute")),
        ("-3", ("-3",)),
        ("minor-key", ("minor", "key")),
        ("10-12", ("10", "12")),
        ("A", ("a",)),
        ("the", ("the",)),
        ("Fröhlich", ("fröhlich",)),
        ("快乐", ("快乐",)),
        ("", ()),
        (" .,!? ", ()),
    ],
)
def test_normal_form(answer: str, words: tuple[str, ...]) -> None:
    assert normalise(answer) == words


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("Three.", "3"), ("the dog", "a dog"), ("A", "a"), ("FALLS", "falls"), ("no , it is not", "No, it is not.")],
)
def test_equal_answers_are_right(answer: str, reference: str) -> None:
    assert is_correct(answer, reference)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("", ""),
        ("...", "..."),
        ("cheerful or sad", "cheerful"),
        ("not cheerful", "cheerful"),
        ("dog bell", "bell dog"),
        ("3", "-3"),
        ("13", "3"),
        ("快", "快乐"),
    ],
)
def test_other_answers_are_wrong(answer: str, reference: str) -> None:
    assert not is_correct(answer, reference)


@given(st.text(max_size=40), st.text(max_size=40))
def test_being_right_is_symmetric_and_an_answer_equals_itself(one: str, other: str) -> None:
    assert is_correct(one, other) == is_correct(other, one)
    assert is_correct(one, one) == bool(normalise(one))


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(answer: str) -> None:
    once = " ".join(normalise(answer))
    assert is_correct(once, answer) == bool(once)
