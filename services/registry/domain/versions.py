"""A model and its versions. A version: immutable content, a state that only moves forward, many origins.

Promises that no transition leaves DELETED and that what an alias serves is never archived.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mgrd.manifest import Manifest
from services.kit.errors import FailedPrecondition


class VersionState(StrEnum):
    """Where a version is in its life."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


@dataclass(frozen=True)
class Model:
    """What versions are versions of."""

    id: str
    description: str
    creator: str
    create_time: datetime

    @property
    def name(self) -> str:
        """The resource name."""
        return f"models/{self.id}"


@dataclass(frozen=True)
class Lineage:
    """One origin of a version; the same digest may come from several runs."""

    run: str = ""
    step: str = ""
    parent: str = ""
    data_digest: str = ""
    code_commit: str = ""


@dataclass(frozen=True)
class Version:
    """An immutable version of a model; `authors` holds everyone who ever registered this digest."""

    model: str
    number: int
    digest: str
    manifest: Manifest
    state: VersionState
    author: str
    create_time: datetime
    description: str = ""
    lineage: tuple[Lineage, ...] = ()
    authors: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The resource name."""
        return version_name(self.model, self.number)


def version_name(model: str, number: int) -> str:
    """`models/{model}/versions/{number}`."""
    return f"models/{model}/versions/{number}"


def archived(version: Version) -> VersionState:
    """The state after archiving; refused while an alias points at the version."""
    if version.state is not VersionState.ACTIVE:
        raise _illegal(version, wanted="archived", needs=VersionState.ACTIVE)
    if version.aliases:
        held = ", ".join(version.aliases)
        raise FailedPrecondition(
            f"{version.name} is behind the alias {held}; point it elsewhere before archiving",
            reason="VERSION_IN_USE",
        )
    return VersionState.ARCHIVED


def deleted(version: Version) -> VersionState:
    """The state after deletion; only an archived version can be deleted."""
    if version.state is not VersionState.ARCHIVED:
        raise _illegal(version, wanted="deleted", needs=VersionState.ARCHIVED)
    return VersionState.DELETED


def _illegal(version: Version, *, wanted: str, needs: VersionState) -> FailedPrecondition:
    return FailedPrecondition(
        f"{version.name} is {version.state} and cannot be {wanted}; it must be {needs}",
        reason="ILLEGAL_TRANSITION",
    )
