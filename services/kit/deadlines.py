"""How long the present call may still take: the caller's deadline, capped by the server.

Promises that work done for a call can be bounded by `remaining_s()`, which is passed on to outgoing calls.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.kit.errors import DeadlineExceeded

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


def remaining_s() -> float:
    """Seconds left to the present call; infinite outside of one. DeadlineExceeded where none is left."""
    left_s = _ends_at.get() - time.monotonic()
    if left_s <= 0:
        raise DeadlineExceeded("the deadline passed before the work was done; allow it more time")
    return left_s


@contextmanager
def ending_in(timeout_s: float) -> Iterator[None]:
    """Within the block `remaining_s` counts down from `timeout_s`."""
    token = _ends_at.set(time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _ends_at.reset(token)
