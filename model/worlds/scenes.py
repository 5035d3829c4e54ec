"""A scene: what sounds when, in a form that can be written down, hashed and rendered again.

Promises: frozen values, a lossless JSON form, an id that is the hash of the content.
Leaves to others: choosing scenes (`sampling`), sound (`rendering`), meaning (`truths`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from model.worlds import lexicon
from model.worlds.lexicon import Split

Domain = Literal["speech", "music", "events", "mixed", "silence"]


@dataclass(frozen=True)
class Utterance:
    """A sentence in a manner of speaking."""

    sentence: int
    voice: str
    pitch: str
    rate: str
    start_s: float
    gain_db: float = 0.0

    @property
    def clip(self) -> str:
        return lexicon.speech_clip(self.sentence, self.voice, self.pitch, self.rate)

    @property
    def length_s(self) -> float:
        return lexicon.speech_duration_s(self.sentence, self.rate)


@dataclass(frozen=True)
class Note:
    """One note of an instrument, stopped after `length_s`."""

    instrument: str
    midi: int
    start_s: float
    length_s: float
    gain_db: float = 0.0

    @property
    def clip(self) -> str:
        return lexicon.note_clip(self.instrument, self.midi)


@dataclass(frozen=True)
class Event:
    """One recorded environmental sound."""

    label: str
    take: int
    start_s: float
    gain_db: float = 0.0

    @property
    def clip(self) -> str:
        return lexicon.event_clip(self.label, self.take)

    @property
    def length_s(self) -> float:
        return lexicon.EVENT_S


Part = Utterance | Note | Event
PART_KINDS: dict[str, type[Utterance | Note | Event]] = {
    "utterance": Utterance,
    "note": Note,
    "event": Event,
}


@dataclass(frozen=True)
class Melody:
    """How the notes of a music scene were composed."""

    root: int
    mode: str
    contour: str
    rate: str


@dataclass(frozen=True)
class Room:
    """Background noise (`noise_db` below the sound, none when None) and reverberation."""

    noise_db: float | None = None
    noise_colour: str = "white"
    noise_start: int = 0
    echo_seed: int | None = None


@dataclass(frozen=True)
class Scene:
    """A clip's score. Build with `scene_of`, which computes the id."""

    id: str
    domain: Domain
    split: Split
    duration_s: float
    parts: tuple[Part, ...]
    trend: str = "even"
    melody: Melody | None = None
    room: Room = Room()
    gain_db: float = 0.0

    def utterances(self) -> tuple[Utterance, ...]:
        return tuple(part for part in self.parts if isinstance(part, Utterance))

    def notes(self) -> tuple[Note, ...]:
        return tuple(part for part in self.parts if isinstance(part, Note))

    def events(self) -> tuple[Event, ...]:
        return tuple(part for part in self.parts if isinstance(part, Event))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; every part names its kind."""
        kinds = {cls: kind for kind, cls in PART_KINDS.items()}
        parts = [{"part": kinds[type(part)], **asdict(part)} for part in self.parts]
        return {**asdict(self), "parts": parts}

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> Scene:
        parts = tuple(
            PART_KINDS[row["part"]](**{key: value for key, value in row.items() if key != "part"})
            for row in form["parts"]
        )
        melody = None if form["melody"] is None else Melody(**form["melody"])
        return cls(**{**form, "parts": parts, "melody": melody, "room": Room(**form["room"])})


def scene_of(scene: Scene) -> Scene:
    """The same scene under the id of its content."""
    form = scene.to_dict() | {"id": lexicon.WORLD_VERSION}
    digest = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
    return replace(scene, id=digest[:16])
