"""3 to 6 of 8, both inclusive."""

import pytest

from model.distillation.difficulty import DifficultyConfig, histogram, is_middling
from model.learning.rollouts import Rollout
from tests.unit.learning.tiny import rollout

CONFIG = DifficultyConfig()


def group(right: int) -> list[Rollout]:
    return [rollout("cheerful" if i < right else "sad") for i in range(8)]


@pytest.mark.parametrize("right", range(9))
def test_bounds_are_inclusive(right: int) -> None:
    assert is_middling(group(right), CONFIG) == (right in {3, 4, 5, 6})


def test_an_unclosed_right_answer_is_not_right() -> None:
    assert not is_middling([*group(2), *(rollout(closed=False) for _ in range(6))], CONFIG)


def test_the_histogram_holds_every_group_once() -> None:
    counts = histogram([group(k) for k in (0, 3, 3, 8)], CONFIG)
    assert list(counts) == [f"right_{k}" for k in range(9)]
    assert {name: count for name, count in counts.items() if count} == {"right_0": 1, "right_3": 2, "right_8": 1}
