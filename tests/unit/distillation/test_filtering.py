"""The three-part filter: each reason against a candidate by example, and what is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from model.acoustics.descriptors.describe import describe
from model.acoustics.descriptors.values import Descriptors
from model.distillation.filtering import (
    FilterConfig,
    Rejection,
    count_reasons,
    is_acoustic,
    is_coherent,
    rejection,
)
from tests.unit.learning.tiny import rollout

CONFIG = FilterConfig(min_reasoning_tokens=6, min_claims=1)
RISES = "the pitch rises . so the answer is cheerful ."
FALLS = "the pitch falls . so the answer is cheerful ."
WORDS = "the words say we won the game . so the answer is cheerful ."


@pytest.fixture
def rising(write_clip: Callable[..., Path]) -> Descriptors:
    """Measurements of a tone that rises by an octave."""
    samples_N, _ = soundfile.read(write_clip("rise.wav", seconds=1.2, start_hz=150, end_hz=300), dtype="float32")
    return describe(samples_N)


def test_a_right_chain_that_argues_from_the_sound_is_kept(rising: Descriptors) -> None:
    assert rejection(rollout(reasoning=RISES), rising, CONFIG) is None


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (rollout(reasoning='{"error": 1} ' + RISES), Rejection.LEAK),
        (rollout(reasoning="as a language model i cannot hear . " + RISES), Rejection.LEAK),
        (rollout("see https://x", reasoning=RISES), Rejection.LEAK),
        (rollout(reasoning="openai says . " + RISES), Rejection.LEAK),
        (rollout(reasoning=RISES, closed=False), Rejection.UNFINISHED),
        (rollout(reasoning=RISES, finished=False), Rejection.UNFINISHED),
        (rollout(reasoning=RISES, tokens=5), Rejection.TOO_SHORT),
        (rollout(reasoning=WORDS), Rejection.NOT_ACOUSTIC),
        (rollout(reasoning=FALLS), Rejection.CONTRADICTED),
        (rollout("sad", reasoning=RISES), Rejection.INCOHERENT),
        (rollout(reasoning="the pitch rises ."), Rejection.INCOHERENT),
        (rollout(reasoning="the pitch rises . the pitch rises . so the answer is cheerful ."), Rejection.INCOHERENT),
        (rollout("sad", reasoning="the pitch rises . so the answer is sad ."), Rejection.WRONG_ANSWER),
    ],
)
def test_each_reason_by_example(rising: Descriptors, candidate: object, reason: Rejection) -> None:
    assert rejection(candidate, rising, CONFIG) == reason


def test_the_first_reason_counts(rising: Descriptors) -> None:
    everything = rollout("sad", reasoning="traceback", closed=False, finished=False, tokens=0)
    assert rejection(everything, rising, CONFIG) == Rejection.LEAK


def test_contradicted_claims_may_be_allowed(rising: Descriptors) -> None:
    allowed = FilterConfig(max_contradicted=1)
    assert rejection(rollout(reasoning=FALLS), rising, allowed) is None


def test_more_claims_may_be_asked_for(rising: Descriptors) -> None:
    assert rejection(rollout(reasoning=RISES), rising, FilterConfig(min_claims=2)) == Rejection.NOT_ACOUSTIC


def test_without_measurements_nothing_is_acoustic() -> None:
    assert rejection(rollout(reasoning=RISES), None, CONFIG) == Rejection.NOT_ACOUSTIC


def test_the_control_filters_by_correctness_alone() -> None:
    control = FilterConfig(acoustic=False)
    assert rejection(rollout(reasoning=WORDS), None, control) is None
    wrong = rollout("sad", reasoning="the words say we lost . so the answer is sad .")
    assert rejection(wrong, None, control) == Rejection.WRONG_ANSWER


@pytest.mark.parametrize(
    ("reasoning", "answer", "coherent"),
    [
        ("it is slow . so the answer is three .", "3", True),
        ("it is slow . so the answer is sad", "sad", True),
        ("so the answer is sad . so the answer is cheerful .", "cheerful", False),
        ("so the answer is sad . it is slow .", "sad", False),
        ("so the answer is .", "sad", False),
        ("", "sad", False),
    ],
)
def test_coherence(reasoning: str, answer: str, *, coherent: bool) -> None:
    assert is_coherent(reasoning, answer) == coherent


def test_acoustic_chains_make_two_checkable_claims() -> None:
    assert is_acoustic("the pitch rises . it gets louder . so the answer is cheerful .")
    assert not is_acoustic(RISES)
    assert not is_acoustic(WORDS)


def test_reasons_are_counted_by_name() -> None:
    counts = count_reasons([None, Rejection.LEAK, None, Rejection.WRONG_ANSWER])
    assert counts["kept"] == 2
    assert (counts["leak"], counts["wrong_answer"], counts["incoherent"]) == (1, 1, 0)
    assert list(counts) == ["kept", *Rejection]
