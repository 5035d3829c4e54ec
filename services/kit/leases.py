"""Leases in a service's database: at most one process at a time does a job, such as relaying the outbox.

Promises that a lease ends with its process: at once on the same machine, after `lease_s` from another.
"""

import uuid
from datetime import timedelta

from sqlalchemy import insert, select, update

from services.kit.database import Database, UnitOfWork
from services.kit.processes import identity, is_gone
from services.kit.tables import KIT, now


class Lease:
    """One job's lease as seen by one holder."""

    def __init__(self, database: Database, name: str, *, lease_s: float = 15.0) -> None:
        self._database = database
        self._name = name
        self._length = timedelta(seconds=lease_s)
        self._holder = f"{identity()}/{uuid.uuid4().hex[:8]}"
        self._renew_at = now()

    def hold(self) -> bool:
        """True where this holder has the lease now, taken or renewed; cheap until a third of it has passed."""
        if now() < self._renew_at:
            return True
        held = self._database.retrying(self._take)
        if held:
            self._renew_at = now() + self._length / 3
        return held

    def release(self) -> None:
        """Lets the next holder in at once."""
        with self._database.unit_of_work() as work:
            columns = KIT.leases.c
            mine = (columns.name == self._name) & (columns.holder == self._holder)
            work.session.execute(update(KIT.leases).where(mine).values(expires_at=now()))
            work.commit()
        self._renew_at = now()

    def _take(self) -> bool:
        with self._database.unit_of_work() as work:
            if not self._is_free(work):
                return False
            work.commit()
        return True

    def _is_free(self, work: UnitOfWork) -> bool:
        columns = KIT.leases.c
        found = work.session.execute(select(KIT.leases).where(columns.name == self._name)).one_or_none()
        mine = {"holder": self._holder, "expires_at": now() + self._length}
        if found is None:
            work.session.execute(insert(KIT.leases).values(name=self._name, **mine))
            return True
        if found.holder == self._holder or found.expires_at <= now() or is_gone(found.holder):
            work.session.execute(update(KIT.leases).where(columns.name == self._name).values(**mine))
            return True
        return False
