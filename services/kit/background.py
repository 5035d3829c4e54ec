"""Workers beside the server: relay, subscription, reconciler. Each is a loop in a thread of its own.

Promises that a worker that raises is logged and started again, ever more slowly, and that all end with the server.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0
_WELL_AFTER_S = 60.0


class Background(Protocol):
    """A worker: `run` returns soon after `stopping` is set."""

    @property
    def name(self) -> str: ...

    def run(self, stopping: threading.Event) -> None: ...


class BackgroundThreads:
    """Runs workers until `stop`."""

    def __init__(self, workers: Sequence[Background]) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_running, args=(worker,), name=worker.name, daemon=True)
            for worker in workers
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, timeout_s: float) -> None:
        """Asks every worker to end and waits; a worker that does not end is named in the log."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout_s)
            if thread.is_alive():
                _log.warning("worker %s did not end within %g s", thread.name, timeout_s)

    def _keep_running(self, worker: Background) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                worker.run(self._stopping)
            except Exception:  # noqa: BLE001 - the promise of this module
                if time.monotonic() - started > _WELL_AFTER_S:
                    pause_s = _FIRST_PAUSE_S
                _log.exception("worker %s failed; it starts again in %g s", worker.name, pause_s)
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
