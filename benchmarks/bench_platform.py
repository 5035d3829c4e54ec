"""The platform as its operator feels it: time until healthy, memory at rest, time from promotion to the first reply.

Each figure is measured on a platform of its own in a temporary folder, with real processes and a real Triton; medians
of `ROUNDS`, the spread the interquartile range. Promotion is timed from its acceptance to the first token of the new
version, once with the version loaded as candidate and once not yet loaded. Needs the shipped base. Run with
`python -m benchmarks.bench_platform`.
"""

import io
import json
import math
import shutil
import statistics
import struct
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrd.clients import Clients, NotFoundError, UnavailableError, connect
from mgrd.clients.inference import Answerer, Question, ReasoningDelta, Sampling
from mgrd.clients.registry_values import Evaluation, Gate
from mgrd.home import Home
from mgrd.platform import control
from mgrd.platform.plans import source_root
from mgrd.store import open_store, store_folder

ROUNDS = 5
MODEL = "models/bench"
PRODUCTION, CANDIDATE = f"{MODEL}/aliases/production", f"{MODEL}/aliases/candidate"
BASE = source_root() / "assets" / "base" / "nano"
UP_GOAL_S, REST_GOAL_MB, WARM_GOAL_S, COLD_GOAL_S = 15.0, 1_500.0, 1.0, 10.0
SETTLE_S = 5.0
GIVE_UP_S = 60.0


def run() -> list[dict[str, Any]]:
    """All figures of the platform."""
    ups_s, rests_mb = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder).resolve())
        try:
            for _ in range(ROUNDS):
                control.down(home)
                ups_s.append(control.up(home, timeout_s=GIVE_UP_S))
                rests_mb.append(_rest_mb(home))
            warm_s, cold_s = Release(home, Path(folder) / "checkpoints").measure()
        finally:
            control.down(home)
    return [
        figure("mgrd up to all healthy", ups_s, unit="s", goal=UP_GOAL_S),
        figure("whole platform at rest, resident", rests_mb, unit="MB", goal=REST_GOAL_MB),
        figure("promotion accepted to first token, version loaded as candidate", warm_s, unit="s", goal=WARM_GOAL_S),
        figure("promotion accepted to first token, version not yet loaded", cold_s, unit="s", goal=COLD_GOAL_S),
    ]


def figure(name: str, values: list[float], *, unit: str, goal: float) -> dict[str, Any]:
    """One line: there is no alternative to compare with, only a goal."""
    median = statistics.median(values)
    first, _, third = statistics.quantiles(values, n=4)
    return {
        "name": name,
        "ours": round(median, 3),
        "theirs": None,
        "ratio": None,
        "unit": unit,
        "spread": round(third - first, 3),
        "goal": goal,
        "holds": median <= goal,
    }


@dataclass
class Release:
    """Promotions of versions that differ in nothing but a note."""

    home: Home
    folder: Path

    def measure(self) -> tuple[list[float], list[float]]:
        """Seconds from promotion to first token, for loaded versions and for versions not yet loaded."""
        with (
            connect(home=self.home, person="ana") as ana,
            connect(home=self.home, person="olga") as olga,
            connect(home=self.home, person="steps") as steps,
        ):
            ana.registry.create_model("bench")
            olga.registry.set_gate(PRODUCTION, gate=Gate())
            self._promote(ana, self._version(steps, "first"))
            warm_s = [self._warm(ana, self._version(steps, f"warm {turn}")) for turn in range(ROUNDS)]
            cold_s = [self._promote(ana, self._version(steps, f"cold {turn}")) for turn in range(ROUNDS)]
        return warm_s, cold_s

    def _version(self, steps: Clients, note: str) -> str:
        checkpoint = self.folder / note.replace(" ", "-")
        shutil.copytree(BASE, checkpoint)
        (checkpoint / "note.txt").write_text(note)
        config = json.loads((checkpoint / "config.json").read_text())
        manifest = store_folder(
            open_store(self.home.store_url),
            checkpoint,
            front_end_version=config["front_end_version"],
            architecture=config["model_type"],
        )
        version = steps.registry.create_version(MODEL, manifest=manifest)
        steps.registry.create_evaluation(version.name, evaluation=Evaluation("heldout", {"accuracy": 1.0}))
        return version.name

    def _warm(self, ana: Clients, version: str) -> float:
        ana.registry.promote(CANDIDATE, version=version)
        _until(lambda: _serves(ana, version, alias="candidate"))
        return self._promote(ana, version)

    def _promote(self, ana: Clients, version: str) -> float:
        ana.registry.promote(PRODUCTION, version=version)
        start_s = time.perf_counter()
        _until(lambda: _first_token_from(ana, version))
        return time.perf_counter() - start_s


def _first_token_from(clients: Clients, version: str) -> bool:
    question = Question(MODEL, "is it low or high ?", audio=_tone(), sampling=Sampling(max_new_tokens=4))
    answerer = None
    try:
        for event in clients.inference.reason(question):
            if isinstance(event, Answerer):
                answerer = event.version
            if isinstance(event, ReasoningDelta):
                return answerer == version
    except (NotFoundError, UnavailableError):  # nothing is ready behind this alias yet
        return False
    return answerer == version


def _serves(clients: Clients, version: str, *, alias: str) -> bool:
    try:
        found = clients.inference.get_deployment(MODEL, alias=alias)
    except NotFoundError:
        return False
    return found.serving and found.desired_version == version


def _until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + GIVE_UP_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"it did not come true within {GIVE_UP_S} s")
        time.sleep(0.01)


def _rest_mb(home: Home) -> float:
    time.sleep(SETTLE_S)
    return sum(one.resident_bytes for one in control.status(home).processes) / 2**20


def _tone(*, duration_s: float = 1.0, rate_hz: int = 16_000) -> bytes:
    samples = [int(9_000 * math.sin(2 * math.pi * 220 * n / rate_hz)) for n in range(int(duration_s * rate_hz))]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return buffer.getvalue()


if __name__ == "__main__":
    for line in run():
        print(json.dumps(line))
