"""Deployments in the database: the agent's reports, and the gateway's picture of all replicas.

The agent writes a row and its event in one transaction; the gateway writes the rows the events tell.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select

from mgrd.events.v1.events_pb2 import DeploymentFailed, DeploymentReady
from services.inference import tables
from services.inference.domain import Alias, Deployment, State, Version, settled
from services.kit.database import Database, UnitOfWork
from services.kit.tables import now

_D = tables.deployments.c
_A = tables.aliases.c


class DatabaseReporter:
    """What an agent reports about its replica."""

    def __init__(self, database: Database, *, replica: str) -> None:
        self._database = database
        self._replica = replica

    def report(self, version: Version, *, state: State, aliases: Iterable[str] = (), message: str = "") -> None:
        """Records the state of a version; READY and FAILED go out as events."""
        with self._database.unit_of_work() as work:
            put_deployment(work, Deployment(self._replica, version, state, message, now()))
            event = _event(version, state=state, replica=self._replica, aliases=aliases, message=message)
            if event is not None:
                work.publish(event, subject=version.name, key=f"{self._replica}/{version.digest}")
            work.commit()

    def forget(self, version: Version) -> None:
        """Removes a version that was unloaded, and says so."""
        with self._database.unit_of_work() as work:
            drop_deployment(work, replica=self._replica, version=version.name)
            event = _event(version, state=State.FAILED, replica=self._replica, aliases=(), message=UNLOADED)
            if event is not None:
                work.publish(event, subject=version.name, key=f"{self._replica}/{version.digest}")
            work.commit()

    def forget_all(self) -> None:
        """Empties the status table: what an earlier agent saw is not known to hold now."""
        with self._database.unit_of_work() as work:
            work.session.execute(delete(tables.deployments).where(_D.replica == self._replica))
            work.commit()


UNLOADED = "UNLOADED: no alias wants it any more"


def _event(
    version: Version, *, state: State, replica: str, aliases: Iterable[str], message: str
) -> DeploymentReady | DeploymentFailed | None:
    if state is State.READY:
        return DeploymentReady(version=version.name, digest=version.digest, replica=replica, aliases=aliases)
    if state is State.FAILED:
        return DeploymentFailed(version=version.name, digest=version.digest, replica=replica, reason=message)
    return None


def put_deployment(work: UnitOfWork, deployment: Deployment) -> None:
    """Writes a replica's state of a version over what was known."""
    drop_deployment(work, replica=deployment.replica, version=deployment.version.name)
    work.session.execute(
        insert(tables.deployments).values(
            replica=deployment.replica,
            version=deployment.version.name,
            digest=deployment.version.digest,
            state=deployment.state.value,
            message=deployment.message,
            observe_time=deployment.observe_time,
        )
    )


def drop_deployment(work: UnitOfWork, *, replica: str, version: str) -> None:
    """Removes a replica's state of a version."""
    work.session.execute(delete(tables.deployments).where(_D.replica == replica, _D.version == version))


def all_deployments(work: UnitOfWork) -> Sequence[Deployment]:
    """Every known deployment, by replica and version."""
    rows = work.session.execute(select(tables.deployments).order_by(_D.replica, _D.version))
    return [
        Deployment(row.replica, Version(row.version, row.digest), State(row.state), row.message, row.observe_time)
        for row in rows
    ]


def all_aliases(work: UnitOfWork) -> Sequence[Alias]:
    """Every alias this gateway knows."""
    return [
        Alias(
            name=row.name,
            wanted=Version(row.wanted_version, row.wanted_digest, row.wanted_front_end),
            serving=Version(row.serving_version, row.serving_digest, row.serving_front_end)
            if row.serving_version
            else None,
        )
        for row in work.session.execute(select(tables.aliases).order_by(_A.name))
    ]


def put_wanted(work: UnitOfWork, wanted: Sequence[tuple[str, Version]]) -> None:
    """Takes over what the registry's aliases want; which version serves is kept."""
    before = {alias.name: alias for alias in all_aliases(work)}
    for name, version in wanted:
        known = before.pop(name, None)
        if known is None:
            _put_alias(work, Alias(name, version))
        elif known.wanted != version:
            _put_alias(work, Alias(name, version, known.serving))
    for name in before:
        work.session.execute(delete(tables.aliases).where(_A.name == name))


def settle_aliases(work: UnitOfWork) -> None:
    """Lets every alias serve what it wants where a replica holds that ready."""
    deployments = all_deployments(work)
    for alias in all_aliases(work):
        after = settled(alias, deployments=deployments)
        if after != alias:
            _put_alias(work, after)


def _put_alias(work: UnitOfWork, alias: Alias) -> None:
    serving = alias.serving or Version("", "", "")
    values = {
        "wanted_version": alias.wanted.name,
        "wanted_digest": alias.wanted.digest,
        "wanted_front_end": alias.wanted.front_end_version,
        "serving_version": serving.name or None,
        "serving_digest": serving.digest or None,
        "serving_front_end": serving.front_end_version or None,
    }
    work.session.execute(delete(tables.aliases).where(_A.name == alias.name))
    work.session.execute(insert(tables.aliases).values(name=alias.name, **values))
