"""The collector at work: on request, and by itself now and then. Several replicas may collect at once."""

import logging
import threading

from mgrd.store.port import ContentStore
from services.kit.database import Database
from services.registry.settings import RegistrySettings
from services.registry.transactions import Transactions
from services.registry.usecases import garbage

_log = logging.getLogger(__name__)


class Collector:
    """Background worker: marks and sweeps every `registry_garbage_every_s`, as the system."""

    name = "collector"

    def __init__(self, database: Database, store: ContentStore, settings: RegistrySettings) -> None:
        self._transactions = Transactions(database, store, caller=lambda: None)
        self._grace = settings.garbage_grace
        self._every_s = settings.registry_garbage_every_s

    def run(self, stopping: threading.Event) -> None:
        if not self._every_s:
            stopping.wait()
        while not stopping.wait(self._every_s):
            self.collect()

    def collect(self) -> None:
        """Marks and sweeps once."""
        found = self._transactions.write(lambda ctx: garbage.mark(ctx, grace=self._grace))
        removed = sweep_all(self._transactions)
        if found or removed:
            _log.info("collected garbage", extra={"removed": removed, "size_bytes": sum(b.size_bytes for b in found)})


def sweep_all(transactions: Transactions) -> int:
    """Removes all that is marked, a few per transaction; returns how many went."""
    removed = 0
    while swept := transactions.write(garbage.sweep):
        removed += swept
    return removed
