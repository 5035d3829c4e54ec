"""How long a service takes from the start of its process until its health says that it serves.

Measured beside an empty gRPC server in Python with the same health service, in turns, since a busy machine slows both:
`ours` is the service, `theirs` the empty server. Each service is a process of its own on embedded stores that are
migrated already; the others are not there, as when a cluster starts. Medians of `ROUNDS`, the spread the interquartile
range. Run with `python -m benchmarks.bench_startup`.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, show, spread
from mgrd.home import AREAS, Home
from mgrd.platform.people import issue_tokens
from mgrd.platform.plans import HOST, ProcessPlan, allocate_ports, platform_plans
from services.kit.probe import serves

ROUNDS = 5
GOAL_S = 3.0
GIVE_UP_S = 60.0
_AGAIN_S = 0.01
EMPTY = """
import sys, grpc
from concurrent.futures import ThreadPoolExecutor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
server = grpc.server(ThreadPoolExecutor(4))
status = health.HealthServicer()
status.set("", health_pb2.HealthCheckResponse.SERVING)
health_pb2_grpc.add_HealthServicer_to_server(status, server)
server.add_insecure_port(sys.argv[1])
server.start()
server.wait_for_termination()
"""


def run() -> list[Figure]:
    """A figure for each service."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder).resolve())
        for needed in (home.databases, home.store):
            needed.mkdir(parents=True)
        issue_tokens(home)
        plans = {one.name: one for one in platform_plans(home, allocate_ports({}, keep=False)) if one.name in AREAS}
        for plan in plans.values():
            started_s(plan)  # makes its database
        ours: dict[str, list[float]] = {name: [] for name in plans}
        empty: list[float] = []
        for _ in range(ROUNDS):
            for name, plan in plans.items():
                empty.append(empty_started_s())
                ours[name].append(started_s(plan))
    return [_figure(name, times_s, empty) for name, times_s in ours.items()]


def started_s(plan: ProcessPlan) -> float:
    """Seconds until the service serves; it is ended again."""
    with serving(plan.command, environment={**os.environ, **plan.environment}, address=plan.address) as taken_s:
        return taken_s


def empty_started_s() -> float:
    """The same of the empty server."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        address = f"{HOST}:{free.getsockname()[1]}"
    with serving([sys.executable, "-c", EMPTY, address], environment=os.environ, address=address) as taken_s:
        return taken_s


@contextmanager
def serving(command: Sequence[str], *, environment: Mapping[str, str], address: str) -> Iterator[float]:
    """A server while it serves, and the seconds it took to."""
    started_s = time.monotonic()
    process = subprocess.Popen(command, env=dict(environment), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while not (_listens(address) and serves(address)):
            if process.poll() is not None or time.monotonic() - started_s > GIVE_UP_S:
                raise RuntimeError(f"{' '.join(command[:3])} does not serve (exit status {process.poll()})")
            time.sleep(_AGAIN_S)
        yield time.monotonic() - started_s
    finally:
        process.terminate()
        process.wait()


def _listens(address: str) -> bool:
    """Whether to ask at all: a channel that was refused once waits before it tries again."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _figure(service: str, ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    median, empty = statistics.median(ours), statistics.median(theirs)
    return {
        "name": f"start of {service} to its health; an empty gRPC server",
        "ours": round(median, 3),
        "theirs": round(empty, 3),
        "ratio": round(median / empty, 2),
        "unit": "s",
        "spread": round(spread(ours), 3),
        "goal": GOAL_S,
        "holds": median <= GOAL_S,
    }


if __name__ == "__main__":
    show(run())
