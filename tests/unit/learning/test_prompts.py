"""The words a question is put in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.learning.prompts import normalise_text, prompt_words, question_messages, question_text
from model.network.template import AUDIO


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("How does it sound?", "how does it sound ?"),
        ("a dog,then  a\nbell.", "a dog , then a bell ."),
        ("already so , as it is .", "already so , as it is ."),
        ("", ""),
    ],
)
def test_text_gets_its_training_form(text: str, normal: str) -> None:
    assert normalise_text(text) == normal


@given(st.text(max_size=80))
def test_the_training_form_is_stable(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once


def test_choices_follow_the_question() -> None:
    assert question_text("How is it?", ("Sad", "not sad")) == "how is it ? choose from sad , not sad ."
    assert question_text("How is it?") == "how is it ?"


def test_the_sound_comes_before_the_question() -> None:
    system, human = question_messages("how is it ?", audio_items=2, instruction="listen .")
    assert (system.role, system.parts) == ("system", ("listen .",))
    assert (human.role, human.parts) == ("human", (AUDIO, AUDIO, "how is it ?"))


def test_prompt_words_cover_a_prompt() -> None:
    system, human = question_messages("", choices=("",))
    assert {word for part in (*system.parts, *human.parts) for word in part.split()} <= set(prompt_words())
