"""Questions without sound: small arithmetic, order and logic, each with its chain of text.

Promises: answers are numbers up to twenty, names, or yes and no; the same seed, the same question.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.worlds.items import Item, Question
from model.worlds.lexicon import NUMBERS
from model.worlds.phrases import chain

NAMES = ("tom", "ann", "bob", "eve", "max", "kim")
RELATIONS = ("taller", "older", "faster")
SUPERLATIVE = {"taller": "tallest", "older": "oldest", "faster": "fastest"}
LARGEST = len(NUMBERS) - 1
Drawn = tuple[str, int, str, str, str]


def text_item(rng: np.random.Generator) -> Item:
    """One question of text reasoning."""
    makers: tuple[Callable[[np.random.Generator], Drawn], ...] = (
        _sum,
        _difference,
        _two_steps,
        _three_steps,
        _larger,
        _order,
        _rule,
    )
    kind, depth, text, steps, answer = makers[int(rng.integers(len(makers)))](rng)
    argued = chain(steps, answer=answer)
    return Item(
        id=f"text-{int(rng.integers(2**40)):010x}",
        scene=None,
        question=Question(kind, depth, text, answer),
        acoustic_chain="",
        textual_chain=argued,
        contradictory=False,
    )


def _number(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _sum(rng: np.random.Generator) -> Drawn:
    first = _number(rng, 0, 10)
    second = _number(rng, 0, 10)
    step, total = _step(first, second)
    return "sum", 1, f"what is {NUMBERS[first]} plus {NUMBERS[second]} ?", step, NUMBERS[total]


def _difference(rng: np.random.Generator) -> Drawn:
    first = _number(rng, 1, LARGEST)
    second = _number(rng, 0, min(first, 10))
    step, total = _step(first, -second)
    text = f"what is {NUMBERS[first]} minus {NUMBERS[second]} ?"
    return "difference", 1, text, step, NUMBERS[total]


def _step(first: int, change: int) -> tuple[str, int]:
    """One step of arithmetic in words, and its result."""
    sign = "plus" if change >= 0 else "minus"
    total = first + change
    return f"{NUMBERS[first]} {sign} {NUMBERS[abs(change)]} is {NUMBERS[total]} .", total


def _many_steps(rng: np.random.Generator, count: int) -> tuple[str, str, str]:
    total = _number(rng, 1, 9)
    text, steps = f"what is {NUMBERS[total]}", []
    for _ in range(count):
        change = _number(rng, max(-9, -total), min(9, LARGEST - total))
        text += f" {'plus' if change >= 0 else 'minus'} {NUMBERS[abs(change)]}"
        step, total = _step(total, change)
        steps.append(step)
    return f"{text} ?", " ".join(steps), NUMBERS[total]


def _two_steps(rng: np.random.Generator) -> Drawn:
    text, steps, answer = _many_steps(rng, 2)
    return "two_steps", 2, text, steps, answer


def _three_steps(rng: np.random.Generator) -> Drawn:
    text, steps, answer = _many_steps(rng, 3)
    return "three_steps", 3, text, steps, answer


def _larger(rng: np.random.Generator) -> Drawn:
    first, second = (int(n) for n in rng.permutation(LARGEST + 1)[:2])
    high, low = NUMBERS[max(first, second)], NUMBERS[min(first, second)]
    text = f"which is more , {NUMBERS[first]} or {NUMBERS[second]} ?"
    return "larger", 1, text, f"{high} is more than {low} .", high


def _order(rng: np.random.Generator) -> Drawn:
    """Two comparisons in any order of telling; who stands at the top."""
    top, middle, bottom = (NAMES[int(place)] for place in rng.permutation(len(NAMES))[:3])
    relation = RELATIONS[_number(rng, 0, len(RELATIONS) - 1)]
    told = [f"{top} is {relation} than {middle} .", f"{middle} is {relation} than {bottom} ."]
    if rng.random() < 0.5:
        told.reverse()
    text = f"{' '.join(told)} who is {SUPERLATIVE[relation]} ?"
    steps = f"{top} is {relation} than {middle} and {middle} is {relation} than {bottom} ."
    return "order", 2, text, steps, top


def _rule(rng: np.random.Generator) -> Drawn:
    """A rule about everyone of a name's kind, and whether it reaches one of them."""
    name = NAMES[_number(rng, 0, len(NAMES) - 1)]
    first, second = ("tall", "fast") if rng.random() < 0.5 else ("old", "happy")
    holds = rng.random() < 0.5
    fact = f"{name} is {first} ." if holds else f"{name} is not {first} ."
    text = f"only those who are {first} are {second} . {fact} can {name} be {second} ?"
    return "rule", 2, text, fact, "yes" if holds else "no"
