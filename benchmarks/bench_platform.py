"""The platform as its operator feels it: time until all of it is healthy, memory at rest.

Measured on a platform of its own in a temporary folder, with real processes and a real Triton, no version loaded;
medians of `ROUNDS`, the spread the interquartile range. Memory counts pages that processes share once (PSS). Run with
`python -m benchmarks.bench_platform`.
"""

import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, against_goal, show
from mgrd.home import Home
from mgrd.platform import control

ROUNDS = 5
UP_GOAL_S, REST_GOAL_MB = 15.0, 1_500.0
SETTLE_S = 5.0
GIVE_UP_S = 60.0


def run() -> list[Figure]:
    """Both figures."""
    ups_s, rests_mb = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder).resolve())
        for _ in range(ROUNDS):
            try:
                ups_s.append(control.up(home, timeout_s=GIVE_UP_S))
                rests_mb.append(_rest_mb(home))
            finally:
                control.down(home)
    return [
        against_goal("mgrd up to all healthy", ups_s, unit="s", goal=UP_GOAL_S),
        against_goal("whole platform at rest, resident", rests_mb, unit="MB", goal=REST_GOAL_MB),
    ]


def _rest_mb(home: Home) -> float:
    time.sleep(SETTLE_S)
    return sum(one.resident_bytes for one in control.status(home).processes) / 2**20


if __name__ == "__main__":
    show(run())
