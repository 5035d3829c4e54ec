"""Whether the holder of a lease is still there."""

import subprocess
import sys

import psutil

from services.kit.processes import identity, is_gone


def test_this_process_is_there_even_if_the_clock_was_set_a_little() -> None:
    host, pid, started = identity().split("/")
    assert not is_gone(f"{identity()}/member")
    assert not is_gone(f"{host}/{pid}/{float(started) + 2:.2f}")


def test_an_ended_process_and_a_predecessor_with_its_pid_are_gone() -> None:
    host, pid, started = identity().split("/")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = f"{host}/{child.pid}/{psutil.Process(child.pid).create_time():.2f}"
    assert not is_gone(holder)
    child.kill()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        continue
    assert is_gone(holder)  # dead, though its parent has not looked yet
    child.wait()
    assert is_gone(holder)
    assert is_gone(f"{host}/{pid}/{float(started) - 3600:.2f}")


def test_a_process_of_another_machine_is_never_known_to_be_gone() -> None:
    assert not is_gone("another-host/1/0.00")
