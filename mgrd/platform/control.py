"""Starting, stopping and looking at a local platform, from outside of it.

Promises that `up` on a running platform changes nothing, that `up` after the supervisor's death takes over what is
left, and that `down` ends everything the platform started, whatever has died meanwhile.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mgrd.errors import MgrdError
from mgrd.home import Home, PlatformRecord, ProcessRecord
from mgrd.platform.health import is_healthy
from mgrd.platform.plans import platform_plans, source_root
from mgrd.platform.processes import MARK, descendants, is_alive, resident_bytes, start, stop

_POLL_S = 0.1
_DOWN_GRACE_S = 40.0
_LOG_TAIL_LINES = 12


@dataclass(frozen=True)
class ProcessStatus:
    """How a process of the platform is."""

    name: str
    pid: int | None
    """None where it does not run."""
    healthy: bool
    address: str
    restarts: int
    resident_bytes: int


@dataclass(frozen=True)
class PlatformStatus:
    """How the platform is."""

    home: str
    supervised: bool
    addresses: Mapping[str, str]
    processes: tuple[ProcessStatus, ...]

    @property
    def healthy(self) -> bool:
        """Whether everything serves."""
        return self.supervised and bool(self.processes) and all(one.healthy for one in self.processes)


def up(home: Home, *, timeout_s: float = 60.0, on_change: Callable[[PlatformStatus], None] | None = None) -> float:
    """Starts the platform where it does not run and waits until all is healthy; returns how long it took."""
    start_s = time.monotonic()
    _own_record(home)
    if not _is_supervised(home):
        _start_supervisor(home)
    while not (found := status(home)).healthy:
        if on_change is not None:
            on_change(found)
        if time.monotonic() - start_s > timeout_s:
            raise _not_healthy(home, found, timeout_s)
        time.sleep(_POLL_S)
    if on_change is not None:
        on_change(found)
    return time.monotonic() - start_s


def down(home: Home) -> int:
    """Ends everything the platform started; returns how many processes ran."""
    record = _own_record(home) or PlatformRecord()
    running = [one for one in record.processes if is_alive(one)]
    if record.supervisor is not None:
        stop([record.supervisor], grace_s=_DOWN_GRACE_S)
    # A supervisor that has not yet written its record is among those found by their mark.
    stop([*running, *(one for one in descendants(home.root) if one.pid != os.getpid())], grace_s=_DOWN_GRACE_S)
    if record.addresses:
        home.write_record(PlatformRecord(record.addresses))
    return len(running)


def status(home: Home) -> PlatformStatus:
    """Every process with its health, asked of all at once."""
    record = _own_record(home)
    if record is None or not record.addresses:  # never started, or its supervisor has only just begun
        return PlatformStatus(str(home.root), _is_supervised(home), addresses={}, processes=())
    plans = platform_plans(home, record.addresses)
    by_name = {one.name: one for one in record.processes if is_alive(one)}
    with ThreadPoolExecutor(len(plans)) as pool:
        healthy = list(pool.map(lambda plan: plan.name in by_name and is_healthy(plan), plans))
    processes = tuple(
        _process_status(plan.name, plan.address, by_name.get(plan.name), healthy=well)
        for plan, well in zip(plans, healthy, strict=True)
    )
    return PlatformStatus(str(home.root), _is_supervised(home), record.addresses, processes)


def log_file(home: Home, name: str) -> Path:
    """The log of a process; MgrdError UNKNOWN_PROCESS names those there are."""
    _own_record(home)
    path = home.logs / f"{name}.log"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in home.logs.glob("*.log"))) or "none yet; run `mgrd up`"
        raise MgrdError(f"there is no log of {name!r}; known: {known}", reason="UNKNOWN_PROCESS")
    return path


def _own_record(home: Home) -> PlatformRecord | None:
    """The record of a platform that is ours to start and stop; MgrdError KEPT_ELSEWHERE where it is not."""
    record = home.read_record()
    if record is not None and record.kept_by:
        raise MgrdError(
            f"the platform of {home.root} is kept by {record.kept_by}: start it, stop it and look at it there",
            reason="KEPT_ELSEWHERE",
        )
    return record


def _process_status(name: str, address: str, record: ProcessRecord | None, *, healthy: bool) -> ProcessStatus:
    if record is None:
        return ProcessStatus(name, None, healthy=False, address=address, restarts=0, resident_bytes=0)
    return ProcessStatus(name, record.pid, healthy, address, record.restarts, resident_bytes(record.pid))


def _is_supervised(home: Home) -> bool:
    record = home.read_record()
    return record is not None and record.supervisor is not None and is_alive(record.supervisor)


def _start_supervisor(home: Home) -> None:
    home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = source_root()
    start(
        "supervisor",
        command=[sys.executable, "-m", "mgrd.platform.supervisor", str(home.root)],
        environment={**os.environ, "PYTHONPATH": str(root), MARK: str(home.root)},
        folder=root,
        log=home.logs / "supervisor.log",
    )


def _not_healthy(home: Home, found: PlatformStatus, timeout_s: float) -> MgrdError:
    waiting = [one.name for one in found.processes if not one.healthy] or ["supervisor"]
    tail = _tail(home.logs / f"{waiting[0]}.log")
    return MgrdError(
        f"not healthy after {timeout_s:.0f} s: {', '.join(waiting)}. The log of {waiting[0]} ends:\n{tail}\n"
        f"See `mgrd logs {waiting[0]}`.",
        reason="NOT_HEALTHY",
    )


def _tail(path: Path) -> str:
    if not path.is_file():
        return "(there is no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
