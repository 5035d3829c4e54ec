"""The platform as processes: all of it healthy, whatever is killed comes back, nothing is left behind."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from mgrd.clients import Clients
from mgrd.home import Home
from mgrd.platform import control
from mgrd.platform.processes import descendants, is_alive

PROCESSES = ("features", "registry", "orchestrator", "inference", "agent", "triton")


def until(condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true"
        time.sleep(0.1)


def pid_of(home: Home, name: str) -> int:
    record = home.read_record()
    assert record is not None
    return next(one.pid for one in record.processes if one.name == name)


def test_all_processes_are_healthy_and_small(home: Home) -> None:
    found = control.status(home)
    assert [one.name for one in found.processes if one.healthy] == sorted(PROCESSES, key=PROCESSES.index)
    assert sum(one.resident_bytes for one in found.processes) < 1.5e9


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_comes_back_at_its_address(home: Home, name: str) -> None:
    before = control.status(home)
    pid = pid_of(home, name)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid_of(home, name) != pid and control.status(home).healthy)
    assert control.status(home).addresses == before.addresses


def test_what_was_acknowledged_outlives_a_kill(home: Home, people: dict[str, Clients]) -> None:
    people["ana"].registry.create_model("survivor")
    os.kill(pid_of(home, "registry"), signal.SIGKILL)
    assert people["ana"].registry.get_model("models/survivor").creator == "ana"


def test_after_the_supervisors_death_up_takes_over_what_is_left(home: Home) -> None:
    record = home.read_record()
    assert record is not None
    assert record.supervisor is not None
    os.kill(record.supervisor.pid, signal.SIGKILL)
    until(lambda: not control.status(home).supervised)
    control.up(home)
    after = home.read_record()
    assert after is not None
    assert after.processes == record.processes


def test_up_on_a_running_platform_changes_nothing(home: Home) -> None:
    before = home.read_record()
    control.up(home)
    assert home.read_record() == before


def test_down_leaves_nothing_and_up_finds_its_state_again(home: Home, people: dict[str, Clients]) -> None:
    record = home.read_record()
    assert record is not None
    control.down(home)
    assert [one for one in record.processes if is_alive(one)] == []
    assert descendants(home.root) == []
    control.up(home, timeout_s=120.0)
    assert people["ana"].registry.get_model("models/survivor").name == "models/survivor"
