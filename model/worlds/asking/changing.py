"""Questions that change one thing about a sound in thought: what a voice or a melody would amount to then."""

from __future__ import annotations

from dataclasses import dataclass

from model.worlds.items import Asker
from model.worlds.lexicon import OPPOSITE


@dataclass(frozen=True)
class Change:
    """One property of a manner turned round."""

    property: str
    """Its name: "pitch", "rate", …"""
    other: str
    """What it would be instead."""
    manner: dict[str, str]
    """What is heard, with it changed."""
    usual: dict[str, str]
    """What is usual for the words or the instrument, with the same property turned round."""


def changed(ask: Asker, manner: dict[str, str], usual: tuple[str, ...]) -> Change:
    """Turns round a property drawn from those that have an opposite; `usual` is in the order of `manner`."""
    changing = [name for name, value in manner.items() if OPPOSITE[value] != value]
    drawn = changing[int(ask.rng.integers(len(changing)))]
    expected = dict(zip(manner, usual, strict=True))
    other = OPPOSITE[manner[drawn]]
    return Change(drawn, other, manner | {drawn: other}, expected | {drawn: OPPOSITE[expected[drawn]]})
