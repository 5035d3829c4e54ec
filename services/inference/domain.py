"""The rules of serving: what an alias wants, what replicas hold, and who therefore answers.

An alias is desired state (the registry's word); a deployment is observed state (a replica's word).
A request is answered by one digest from its first token to its last. Standard library only.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

PRODUCTION = "production"


class State(StrEnum):
    """State of a digest in one Triton."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    DRAINING = "draining"


@dataclass(frozen=True)
class Version:
    """A version as far as serving it goes."""

    name: str
    """`models/{model}/versions/{version}`."""
    digest: str
    front_end_version: str = ""

    @property
    def model(self) -> str:
        """Id of its model."""
        return self.name.split("/")[1]


@dataclass(frozen=True)
class Alias:
    """What an alias wants, and the version that last stood ready behind it."""

    name: str
    """`models/{model}/aliases/{alias}`."""
    wanted: Version
    serving: Version | None = None


@dataclass(frozen=True)
class Deployment:
    """A digest in one replica; the replica's name is the address of its Triton."""

    replica: str
    version: Version
    state: State
    message: str
    observe_time: datetime


@dataclass(frozen=True)
class Route:
    """Who answers: one version, on the replicas that hold it ready."""

    version: Version
    replicas: tuple[str, ...]


def choose_route(alias: Alias, *, deployments: Iterable[Deployment]) -> Route | None:
    """The wanted version if a replica holds it ready, else the one that last served; None where neither is."""
    ready: dict[str, list[str]] = {}
    for deployment in deployments:
        if deployment.state is State.READY:
            ready.setdefault(deployment.version.digest, []).append(deployment.replica)
    for version in filter(None, (alias.wanted, alias.serving)):
        if version.digest in ready:
            return Route(version=version, replicas=tuple(sorted(ready[version.digest])))
    return None


def expected(alias: Alias, *, deployments: Sequence[Deployment], at: datetime) -> Sequence[Deployment]:
    """Deployments of replicas that have not said a word of the wanted version: they are loading it."""
    told = {one.replica for one in deployments if one.version.digest == alias.wanted.digest}
    silent = sorted({one.replica for one in deployments} - told)
    return [Deployment(replica, alias.wanted, State.LOADING, "not reported yet", at) for replica in silent]


def settled(alias: Alias, *, deployments: Iterable[Deployment]) -> Alias:
    """The alias after what the replicas say: it serves the wanted version once one holds it ready."""
    ready = {deployment.version.digest for deployment in deployments if deployment.state is State.READY}
    return replace(alias, serving=alias.wanted) if alias.wanted.digest in ready else alias


@dataclass(frozen=True)
class Plan:
    """What an agent has to do, in Triton's names; loads in order of urgency."""

    load: tuple[str, ...]
    surplus: tuple[str, ...]


def plan(wanted: Sequence[str], *, proven: Collection[str], loaded: Collection[str], failed: Collection[str]) -> Plan:
    """From what is wanted, and what a Triton was proved to hold, holds and failed to hold, the work to do.

    Nothing is surplus while something wanted is not proved: until then a gateway may still answer from
    what was there before. Nor where nothing is wanted at all: that is a registry that lost its memory.
    """
    complete = bool(wanted) and set(wanted) <= set(proven)
    return Plan(
        load=tuple(name for name in wanted if name not in proven and name not in failed),
        surplus=tuple(sorted(set(loaded) - set(wanted))) if complete else (),
    )


def by_urgency(aliases: Iterable[tuple[str, Version]], *, fallbacks: Iterable[Version] = ()) -> tuple[Version, ...]:
    """Desired versions, each once: production first, then the other aliases, then versions kept for rollback."""
    ordered = sorted(aliases, key=lambda pair: (not pair[0].endswith(f"/{PRODUCTION}"), pair[0]))
    versions = {version.digest: version for _, version in ordered}
    for version in fallbacks:
        versions.setdefault(version.digest, version)
    return tuple(versions.values())
