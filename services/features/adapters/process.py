"""One worker process as its parent sees it: started, asked one thing at a time, killed when it takes too long."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, cast

from services.features.adapters.wire import Kind, WireClosed, receive, send

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_START_TIMEOUT_S = 30.0


class WorkerDied(Exception):
    """The worker ended, or was killed, before it answered: `was_at_work`, or not even ready yet."""

    def __init__(self, message: str, *, was_at_work: bool) -> None:
        super().__init__(message)
        self.was_at_work = was_at_work


class WorkTimeout(WorkerDied):
    """The worker was killed because its time was up."""


class WorkerProcess:
    """A running worker; used by one thread at a time. Knows its front end's version once `greet` returned."""

    def __init__(self, *, memory_bytes: int, max_duration_s: float) -> None:
        options = ["--memory-bytes", str(memory_bytes), "--max-duration-s", str(max_duration_s)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.features.adapters.worker", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
        )
        self._is_ready = False
        self._source = cast(BinaryIO, self._process.stdout)
        self._sink = cast(BinaryIO, self._process.stdin)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def greet(self) -> str:
        """Waits for the worker to be ready; its front end's version. WorkerDied where it cannot start."""
        version = self._within(_START_TIMEOUT_S, lambda: receive(self._source))[1].decode()
        self._is_ready = True
        return version

    def ask(self, kind: Kind, body: bytes, *, timeout_s: float) -> tuple[Kind, bytes]:
        """The worker's answer. WorkTimeout or WorkerDied; the worker is of no more use then."""

        def exchange() -> tuple[Kind, bytes]:
            send(self._sink, kind, body)
            return receive(self._source)

        return self._within(timeout_s, exchange)

    def _within(self, timeout_s: float, exchange: Callable[[], tuple[Kind, bytes]]) -> tuple[Kind, bytes]:
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        timer = threading.Timer(timeout_s, expire)
        timer.daemon = True
        timer.start()
        try:
            return exchange()
        except (WireClosed, OSError) as error:
            self.end()
            died = WorkTimeout if expired.is_set() else WorkerDied
            raise died(f"worker {self.pid} gave no answer: {error}", was_at_work=self._is_ready) from error
        finally:
            timer.cancel()

    def end(self) -> None:
        """Kills the worker and waits for its end."""
        self._process.kill()
        self._process.wait()
        for stream in (self._source, self._sink):
            try:
                stream.close()
            except BrokenPipeError:
                continue  # what was left unsent to a dead worker
