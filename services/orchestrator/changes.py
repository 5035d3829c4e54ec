"""Wakes whoever waits for a run to change: the watchers of a run, and the supervisor.

Promises no more than a hint: a change made by another process is seen by polling, so every wait has an end.
"""

import threading


class Changes:
    """Counts the changes this process has committed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def announce(self) -> None:
        """Says that something changed."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_beyond(self, count: int, *, timeout_s: float) -> int:
        """Returns the count as soon as it is above `count`, or after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > count, timeout=timeout_s)
            return self._count
