"""Eq 2 and eq 6-7, case by case."""

import pytest

from model.learning.rewards import Response, RewardConfig, audio_reward, has_reasoning, text_reward

CONFIG = RewardConfig(min_reasoning_tokens=6)


@pytest.mark.parametrize(
    ("answer", "tokens", "closed", "reward"),
    [
        ("sad", 20, True, 1.0),
        ("sad", 6, True, 1.0),
        ("sad", 5, True, 0.8),
        ("sad", 0, True, 0.8),
        ("happy", 20, True, 0.2),
        ("happy", 5, True, 0.0),
        ("sad", 20, False, 0.0),
        ("", 20, True, 0.2),
        ("", 0, False, 0.0),
    ],
)
def test_audio_reward(answer: str, tokens: int, *, closed: bool, reward: float) -> None:
    response = Response(answer=answer, reasoning_tokens=tokens, closed=closed)
    assert audio_reward(response, "sad", CONFIG) == pytest.approx(reward)


@pytest.mark.parametrize(("answer", "closed", "reward"), [("5", True, 1.0), ("6", True, 0.0), ("5", False, 0.0)])
def test_text_reward_ignores_the_length_of_reasoning(answer: str, *, closed: bool, reward: float) -> None:
    for tokens in (0, 100):
        assert text_reward(Response(answer=answer, reasoning_tokens=tokens, closed=closed), "five") == reward


def test_the_weights_are_settings() -> None:
    config = RewardConfig(correct=0.5, reasoning=0.5, min_reasoning_tokens=1)
    assert audio_reward(Response("sad", reasoning_tokens=1, closed=True), "happy", config) == 0.5


def test_an_endless_block_is_no_reasoning() -> None:
    assert not has_reasoning(Response("", reasoning_tokens=500, closed=False), CONFIG)
