"""Who answers for an alias: the registry's wishes and the replicas' reports, kept in the database.

Refresher       takes the aliases over from the registry, when woken by alias.moved and now and then
handlers(...)   write what replicas report; an event only wakes or reports, it is never the truth of an alias
DatabaseDirectory  reads both, cached for a moment; serves on what is known while the registry is down
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message
from sqlalchemy import event

from mgrd.clients.errors import CallError
from mgrd.events.v1.events_pb2 import DeploymentFailed, DeploymentReady
from services.inference.adapters import deployments as rows
from services.inference.domain import Alias, Deployment, Route, State, Version, choose_route
from services.kit.database import Database, UnitOfWork
from services.kit.errors import NotFound
from services.kit.tables import now

log = logging.getLogger(__name__)

Handler = Callable[[UnitOfWork, Message], None]


class AliasSource(Protocol):
    """The registry."""

    def aliases(self) -> Sequence[tuple[str, Version]]: ...


class Changes:
    """Counts what this process has written, so that its reader need not wait for its cache to age."""

    def __init__(self) -> None:
        self.count = 0

    def note(self) -> None:
        """Something was committed."""
        self.count += 1

    def note_after(self, work: UnitOfWork) -> None:
        """Something is written in this unit of work, and will be committed with it."""
        event.listen(work.session, "after_commit", lambda _session: self.note())


class Refresher:
    """Background worker that takes over what the aliases want."""

    name = "aliases"

    def __init__(self, database: Database, registry: AliasSource, *, every_s: float = 5.0) -> None:
        self._database, self._registry, self._every_s = database, registry, every_s
        self.woken = threading.Event()
        self.changes = Changes()

    def run(self, stopping: threading.Event) -> None:
        """Refreshes until told to stop."""
        while not stopping.is_set():
            self.refresh()
            _wait(self.woken, stopping, self._every_s)

    def refresh(self) -> bool:
        """Takes the registry's aliases over; False where it does not answer, and what is known stays."""
        self.woken.clear()
        try:
            wanted = self._registry.aliases()
        except CallError as error:
            log.warning("the registry does not answer (%s): serving on what is known", error)
            return False
        with self._database.unit_of_work() as work:
            rows.put_wanted(work, wanted)
            rows.settle_aliases(work)
            work.commit()
        self.changes.note()
        return True


def handlers(refresher: Refresher) -> Mapping[str, Handler]:
    """What the gateway does on each event."""

    def moved(_work: UnitOfWork, _told: Message) -> None:
        refresher.woken.set()

    def ready(work: UnitOfWork, told: Message) -> None:
        assert isinstance(told, DeploymentReady)
        version = Version(told.version, told.digest)
        rows.put_deployment(work, Deployment(told.replica, version, State.READY, "", now()))
        rows.settle_aliases(work)
        refresher.changes.note_after(work)

    def failed(work: UnitOfWork, told: Message) -> None:
        assert isinstance(told, DeploymentFailed)
        refresher.changes.note_after(work)
        if told.reason == rows.UNLOADED:
            rows.drop_deployment(work, replica=told.replica, version=told.version)
            return
        version = Version(told.version, told.digest)
        rows.put_deployment(work, Deployment(told.replica, version, State.FAILED, told.reason, now()))

    return {
        "mgrd.alias.moved.v1": moved,
        "mgrd.deployment.ready.v1": ready,
        "mgrd.deployment.failed.v1": failed,
    }


@dataclass(frozen=True)
class Snapshot:
    """What is known at a moment."""

    aliases: Mapping[str, Alias]
    deployments: Sequence[Deployment]
    read_at_s: float
    changes: int


class DatabaseDirectory:
    """The directory over the gateway's database."""

    def __init__(self, database: Database, refresher: Refresher, *, fresh_for_s: float = 1.0) -> None:
        self._database, self._refresher, self._fresh_for_s = database, refresher, fresh_for_s
        self._snapshot = Snapshot({}, (), float("-inf"), 0)
        self._asked_registry_at_s = float("-inf")
        self._lock = threading.Lock()

    def alias(self, name: str) -> Alias:
        """The alias; an unknown one is looked for in the registry, at most once a second."""
        found = self.snapshot().aliases.get(name)
        if found is None and self._refreshed():
            found = self.snapshot().aliases.get(name)
        if found is None:
            raise NotFound(
                f"{name} points at no version, or you may not see it; see what there is with: mgrd model list",
                reason="ALIAS_NOT_FOUND",
            )
        return found

    def route(self, alias: Alias) -> Route | None:
        """Who holds a version for the alias ready."""
        return choose_route(alias, deployments=self.snapshot().deployments)

    def snapshot(self) -> Snapshot:
        """What is known: read again when this process wrote, and after a moment, for others may have."""
        changes = self._refresher.changes.count
        is_old = time.monotonic() - self._snapshot.read_at_s > self._fresh_for_s
        if is_old or self._snapshot.changes != changes:
            with self._lock, self._database.unit_of_work(read_only=True) as work:
                aliases = {alias.name: alias for alias in rows.all_aliases(work)}
                self._snapshot = Snapshot(aliases, rows.all_deployments(work), time.monotonic(), changes)
        return self._snapshot

    def _refreshed(self) -> bool:
        if time.monotonic() - self._asked_registry_at_s < 1.0:
            return False
        self._asked_registry_at_s = time.monotonic()
        return self._refresher.refresh()


def _wait(woken: threading.Event, stopping: threading.Event, limit_s: float) -> None:
    """Waits for a wake-up, the time limit or the end, whichever comes first."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s and not stopping.is_set() and not woken.wait(0.2):
        pass
