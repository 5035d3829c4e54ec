"""Aliases and their moves.

History is a stack: a promotion pushes, a rollback pops. So two rollbacks in a row go back two
versions instead of flipping between the last two, and the next promotion builds on where they led.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.gates import Gate
from services.registry.domain.versions import version_name


@dataclass(frozen=True)
class Alias:
    """A name for a version in use; `number` is None before the first promotion.

    revision: grows with every move and every change of the gate.
    """

    model: str
    alias: str
    gate: Gate
    revision: int
    update_time: datetime
    number: int | None = None
    digest: str = ""

    @property
    def name(self) -> str:
        """The resource name."""
        return alias_name(self.model, self.alias)

    @property
    def version(self) -> str:
        """Name of the version it points at; empty where it points nowhere."""
        return "" if self.number is None else version_name(self.model, self.number)

    @property
    def etag(self) -> str:
        """Changes with every revision."""
        return hashlib.sha256(f"{self.name}@{self.revision}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Promotion:
    """One move of an alias; sequence counts from 1 per alias. Never changed once written."""

    model: str
    alias: str
    sequence: int
    number: int
    digest: str
    previous_number: int | None
    actor: str
    reason: str
    create_time: datetime
    rollback: bool = False
    approvers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The resource name."""
        return f"{alias_name(self.model, self.alias)}/promotions/{self.sequence}"

    @property
    def version(self) -> str:
        """Name of the version it moved to."""
        return version_name(self.model, self.number)

    @property
    def previous_version(self) -> str:
        """Name of the version it moved from; empty at first."""
        previous = self.previous_number
        return "" if previous is None else version_name(self.model, previous)


@dataclass(frozen=True)
class Approval:
    """A person's word that a version may go behind an alias."""

    model: str
    number: int
    alias: str
    approver: str
    comment: str
    create_time: datetime


def alias_name(model: str, alias: str) -> str:
    """`models/{model}/aliases/{alias}`."""
    return f"models/{model}/aliases/{alias}"


def rollback_target(moves: Iterable[Promotion], *, usable: Callable[[int], bool]) -> int | None:
    """The version a rollback leads to, or None where there is none.

    moves: the alias's promotions, oldest first. usable: whether a version may still serve;
    what was archived since is passed over.
    """
    stack = standing(moves)
    if not stack:
        return None
    current = stack[-1]
    return next((each for each in reversed(stack) if each != current and usable(each)), None)


def standing(moves: Iterable[Promotion]) -> list[int]:
    """The versions an alias stands on, bottom first, after its promotions and rollbacks."""
    stack: list[int] = []
    for move in moves:
        if move.rollback:
            while stack and stack[-1] != move.number:
                stack.pop()
        if not stack or stack[-1] != move.number:
            stack.append(move.number)
    return stack
