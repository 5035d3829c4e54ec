"""What serving adds: first token and further tokens through gateway, features, gRPC and Triton, against the engine
in this process.

Both answer the same question about the same WAV file with the same weights (nano's size, random) and both decode it
and compute its log-mel frames. Rounds alternate; the figures are medians in milliseconds, `ratio` is ours minus
theirs, the spread its interquartile range. Then a version is promoted that is not loaded, and two that are loaded
take turns in production: seconds from the accepted promotion to the first reply of the new version.
Run with `python -m benchmarks.bench_serving`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, against_goal, show, spread
from mgrd.clients.inference import AnswerDelta, Answerer, InferenceClient, Question, ReasoningDelta, Sampling
from mgrd.clients.registry_values import Version
from model.acoustics.decoding import decode
from model.acoustics.frontend import chunks, log_mel
from services.inference.triton.backend.engines import TorchEngine
from services.inference.triton.protocol import Ask
from tests.support.serving import MODEL, PRODUCTION, Serving, running_serving, tone
from tests.support.tritons import tiny_checkpoint

ROUNDS = 40
NEW_TOKENS = 64
SWITCHES = 5
FIRST_GOAL_MS, FURTHER_GOAL_MS = 15.0, 1.0
COLD_GOAL_S, WARM_GOAL_S = 10.0, 1.0
QUESTION = "does the pitch rise or fall ?"


@dataclass(frozen=True)
class Timing:
    """One reply: time to its first token, and per token after it."""

    first_ms: float
    further_ms: float


def run() -> list[Figure]:
    """Measures both ways and returns a row for the first token and one for each further token."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, other = (tiny_checkpoint(Path(folder) / f"seed{seed}", seed=seed) for seed in (0, 1))
        with running_serving(Path(folder)) as serving:
            version = serving.register(checkpoint)
            serving.point(PRODUCTION, version)
            serving.wait_serving(version)
            pairs = _interleaved(serving, checkpoint)
            cold_s = [_promoted(serving, serving.register(other))]
            warm_s = [_promoted(serving, version) for version in (version, serving.register(other)) * SWITCHES]
    served, direct = zip(*pairs, strict=True)
    return [
        _row("first token through gRPC and Triton, later than in-process", FIRST_GOAL_MS,
             [one.first_ms for one in served], [one.first_ms for one in direct]),
        _row("each further token through gRPC and Triton, longer than in-process", FURTHER_GOAL_MS,
             [one.further_ms for one in served], [one.further_ms for one in direct]),
        against_goal("promotion of a version not loaded yet, to its first reply", cold_s, unit="s", goal=COLD_GOAL_S),
        against_goal("promotion of a loaded version, to its first reply", warm_s, unit="s", goal=WARM_GOAL_S),
    ]  # fmt: skip


def _interleaved(serving: Serving, checkpoint: Path) -> list[tuple[Timing, Timing]]:
    engine, audio = TorchEngine(checkpoint, device="cpu"), tone(seconds=3.0)
    client = serving.inference()
    try:
        for seed in range(3):
            _timed(lambda: _served(client, audio, seed=seed))  # noqa: B023
            _timed(lambda: _direct(engine, audio, seed=seed))  # noqa: B023
        return [
            (
                _timed(lambda: _served(client, audio, seed=seed)),  # noqa: B023
                _timed(lambda: _direct(engine, audio, seed=seed)),  # noqa: B023
            )
            for seed in range(ROUNDS)
        ]
    finally:
        engine.close()


def _served(client: InferenceClient, audio: bytes, *, seed: int) -> Iterator[int]:
    """How many tokens each message of a reply brings, over the wire."""
    sampling = Sampling(max_new_tokens=NEW_TOKENS, max_think_tokens=NEW_TOKENS - 8, temperature=1.0, seed=seed)
    question = Question(MODEL, QUESTION, audio=audio, sampling=sampling, skip_evidence=True)
    for event in client.reason(question):
        if isinstance(event, ReasoningDelta | AnswerDelta):
            yield event.tokens


def _direct(engine: TorchEngine, audio: bytes, *, seed: int) -> Iterator[int]:
    """The same reply from the engine of this process."""
    ask = Ask(QUESTION, max_new_tokens=NEW_TOKENS, max_think_tokens=NEW_TOKENS - 8, temperature=1.0, seed=seed)
    mels_TF = [log_mel(piece) for piece in chunks(decode(audio).samples_N)]
    stream, splitter = engine.start(ask, mels_TF), engine.splitter(ask)
    for token in stream:
        yield from (piece.tokens for piece in splitter.feed([token]))


def _promoted(serving: Serving, version: Version) -> float:
    """Seconds from the accepted promotion to the first reply that names the version."""
    client, question = serving.inference(), Question(MODEL, QUESTION, sampling=Sampling(max_new_tokens=8))
    serving.point(PRODUCTION, version)
    started_s = time.perf_counter()
    while True:
        reply = client.reason(question)
        answerer = next(reply)
        if isinstance(answerer, Answerer) and answerer.digest == version.digest:
            return time.perf_counter() - started_s
        list(reply)


def _timed(reply: Callable[[], Iterator[int]]) -> Timing:
    started_s = time.perf_counter()
    times_s, tokens = [], []
    for count in reply():
        times_s.append(time.perf_counter())
        tokens.append(count)
    further = max(1, sum(tokens[1:]))
    return Timing((times_s[0] - started_s) * 1e3, (times_s[-1] - times_s[0]) * 1e3 / further)


def _row(name: str, goal_ms: float, ours_ms: list[float], theirs_ms: list[float]) -> Figure:
    later_ms = np.subtract(ours_ms, theirs_ms)
    middle_ms = float(np.median(later_ms))
    return {
        "name": name,
        "ours": round(float(np.median(ours_ms)), 2),
        "theirs": round(float(np.median(theirs_ms)), 2),
        "ratio": round(middle_ms, 2),
        "unit": "ms",
        "spread": round(spread(later_ms.tolist()), 2),
        "goal": goal_ms,
        "holds": middle_ms <= goal_ms,
    }


if __name__ == "__main__":
    show(run())
