"""Log-mel of a 30 s clip on one thread: ours against transformers' WhisperFeatureExtractor(feature_size=128).

Both run interleaved in one process; the figures are medians in milliseconds of processor time, which counts every
thread and stays the same beside other work; the spread is the interquartile range of the ratio of neighbouring runs.
Run with `python -m benchmarks.bench_logmel`.
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, show, spread
from model.acoustics.frontend import RATE_HZ, chunks, log_mel

CLIP_S = 30
ROUNDS = 21
GOAL_RATIO = 0.6


def run() -> Figure:
    """Measures both and returns {name, ours, theirs, ratio, unit, spread, goal, holds}."""
    import torch
    from transformers import WhisperFeatureExtractor

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    extractor = WhisperFeatureExtractor(feature_size=128)
    samples = (0.1 * np.random.default_rng(0).standard_normal(CLIP_S * RATE_HZ)).astype(np.float32)
    try:
        ours_ms, theirs_ms = _interleaved(
            lambda: [log_mel(piece) for piece in chunks(samples)],
            lambda: extractor(samples, sampling_rate=RATE_HZ, return_tensors="np"),
        )
    finally:
        torch.set_num_threads(threads)
    ratios = ours_ms / theirs_ms
    ratio = float(np.median(ratios))
    return {
        "name": "log-mel of a 30 s clip, one thread",
        "ours": round(float(np.median(ours_ms)), 2),
        "theirs": round(float(np.median(theirs_ms)), 2),
        "ratio": round(ratio, 3),
        "unit": "ms",
        "spread": round(spread(ratios.tolist()), 3),
        "goal": GOAL_RATIO,
        "holds": ratio <= GOAL_RATIO,
    }


def _interleaved(
    ours: Callable[[], object], theirs: Callable[[], object]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ours()
    theirs()
    pairs = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(ROUNDS)]
    ours_ms, theirs_ms = np.array(pairs).T
    return ours_ms, theirs_ms


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e3


if __name__ == "__main__":
    show([run()])
