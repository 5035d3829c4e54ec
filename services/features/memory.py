"""A short memory of measurements by the digest of the audio: measured once while the model answers, asked often.

Promises that several who ask for the same clip at once cause one measurement, and that nothing is kept longer than
`keep_s` or in more than `most` entries. Holds measurements only, never audio.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from services.kit.deadlines import remaining_s
from services.kit.errors import ServiceError


class Memory:
    """Remembers results of `make` by key; safe for threads."""

    def __init__(self, *, most: int = 64, keep_s: float = 120.0) -> None:
        self._most = most
        self._keep_s = keep_s
        self._entries: OrderedDict[str, tuple[float, Future[bytes]]] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What is remembered under `key`, else what `make` gives; its failure is remembered by nobody."""
        future, is_ours = self._claim(key)
        if is_ours:
            self._fill(key, future, make)
            return future.result()
        try:
            return future.result(timeout=min(remaining_s(), self._keep_s))
        except (ServiceError, TimeoutError):
            # Another's attempt failed, perhaps for a reason of its own, such as a shorter deadline.
            remaining_s()
            return make()

    def _claim(self, key: str) -> tuple[Future[bytes], bool]:
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            if key in self._entries:
                return self._entries[key][1], False
            future: Future[bytes] = Future()
            self._entries[key] = now, future
            return future, True

    def _fill(self, key: str, future: Future[bytes], make: Callable[[], bytes]) -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # noqa: BLE001 - those who wait must hear of it, whatever it is
            with self._lock:
                self._entries.pop(key, None)
            future.set_exception(error)

    def _forget(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries.values()))[0]
            if len(self._entries) < self._most and now - oldest < self._keep_s:
                return
            self._entries.popitem(last=False)
