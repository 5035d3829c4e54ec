"""Tells whether the process that once took something is still there, so that its leases end when it dies.

Only processes of this machine can be judged; of another machine's the answer is always "not known to be gone".
"""

import os
import socket
from functools import cache

import psutil

# The time of boot, from which start times are counted, moves with the clock; no pid comes round again so soon.
_CLOCK_DRIFT_S = 10.0


@cache
def _identity_of(pid: int) -> str:
    return f"{socket.gethostname()}/{pid}/{psutil.Process(pid).create_time():.2f}"


def identity() -> str:
    """This process, told apart from every other that ever had its pid."""
    return _identity_of(os.getpid())


def is_gone(holder: str) -> bool:
    """True where `holder` (which begins with an `identity()`) was a process of this machine that has ended."""
    host, pid, started = holder.split("/")[:3]
    if host != socket.gethostname():
        return False
    return not is_running(int(pid), start_time=float(started))


def is_running(pid: int, *, start_time: float) -> bool:
    """Whether the process of this machine that had the pid since `start_time` (as psutil says it) still runs."""
    try:
        process = psutil.Process(pid)
        age_differs = abs(process.create_time() - start_time) > _CLOCK_DRIFT_S
        return not (age_differs or process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
