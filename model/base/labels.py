"""What each encoder frame hears, from the scene it was rendered from: the encoder's own teacher.

One class a frame (25 Hz) and head: what sounds, at which pitch, and the properties of the voice or
melody it belongs to. Frames a head has no truth for are IGNORED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.worlds import Event, Note, Scene, Utterance, lexicon

FRAME_HZ = 25.0
IGNORED = -100
LOWEST_SEMITONE, SEMITONES = 40, 48

Labels = Mapping[str, NDArray[np.int64]]

SOURCES: tuple[str, ...] = ("nothing", *lexicon.VOICES, *lexicon.INSTRUMENTS, *lexicon.EVENTS)
HEADS: dict[str, int] = {
    "source": len(SOURCES),
    "pitch": SEMITONES,
    "sentence": len(lexicon.SENTENCES),
    "contour": len(lexicon.PITCHES),
    "rate": len(lexicon.RATES),
    "trend": len(lexicon.TRENDS),
    "mode": len(lexicon.MODES),
    "level": 2,
}
"""Heads with their number of classes."""


@dataclass(frozen=True)
class Span:
    """The frames of one part."""

    first: int
    last: int

    @property
    def progress(self) -> NDArray[np.float64]:
        """0 at the first frame to 1 at the last."""
        return np.linspace(0.0, 1.0, max(self.last - self.first, 1))[: self.last - self.first]


def frame_labels(scene: Scene, frames: int) -> Labels:
    """Classes of each head, `[frames]`."""
    labels = {head: np.full(frames, IGNORED, dtype=np.int64) for head in HEADS}
    labels["source"][:] = 0
    for part in scene.parts:
        first = min(round(part.start_s * FRAME_HZ), frames)
        span = Span(first, min(round((part.start_s + part.length_s) * FRAME_HZ), frames))
        for head, value in _of_part(scene, part, span).items():
            labels[head][span.first : span.last] = value
    return labels


def _of_part(scene: Scene, part: Utterance | Note | Event, span: Span) -> dict[str, int | NDArray[np.int64]]:
    if isinstance(part, Utterance):
        return {
            "source": SOURCES.index(part.voice),
            "pitch": _semitones(_spoken_midi(part, span.progress)),
            "sentence": part.sentence,
            "contour": lexicon.PITCHES.index(part.pitch),
            "rate": lexicon.RATES.index(part.rate),
            **_trend(scene),
        }
    if isinstance(part, Note):
        return {
            "source": SOURCES.index(part.instrument),
            "pitch": _semitones(np.full(span.last - span.first, float(part.midi))),
            **_melody(scene),
            **_trend(scene),
        }
    return {"source": SOURCES.index(part.label), "level": int(part.gain_db > lexicon.SOFT_DB)}


def _spoken_midi(part: Utterance, progress: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = 69 + 12 * np.log2(lexicon.MEAN_F0_HZ[part.voice] / 440)
    return mean + (progress - 0.5) * lexicon.PITCH_CHANGE_SEMITONES[part.pitch]


def _semitones(midi: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.round(midi).astype(np.int64) - LOWEST_SEMITONE, 0, SEMITONES - 1)


def _melody(scene: Scene) -> dict[str, int]:
    assert scene.melody is not None
    return {
        "contour": lexicon.PITCHES.index(scene.melody.contour),
        "rate": lexicon.RATES.index(scene.melody.rate),
        "mode": lexicon.MODES.index(scene.melody.mode),
    }


def _trend(scene: Scene) -> dict[str, int]:
    return {"trend": lexicon.TRENDS.index(scene.trend)} if scene.domain in ("speech", "music") else {}


def stacked(labels: Sequence[Labels], head: str, *, width: int) -> NDArray[np.int64]:
    """One head's labels of many scenes, right padded, `[scenes, width]`."""
    table = np.full((len(labels), width), IGNORED, dtype=np.int64)
    for row, label in zip(table, labels, strict=True):
        row[: len(label[head])] = label[head]
    return table
