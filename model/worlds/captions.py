"""What a scene sounds like, in the phrases that chains use.

Promises: `caption` states attributes of the scene, all true, in at most 40 tokens; `transcript` is
the words spoken, or nothing. Captions are how a base model learns to name what it hears.
"""

from __future__ import annotations

import numpy as np

from model.worlds import lexicon, phrases
from model.worlds.scenes import Scene

MAX_TOKENS = 40


def transcript(scene: Scene) -> str:
    return " ".join(lexicon.SENTENCES[spoken.sentence].text for spoken in scene.utterances())


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """What is heard, then attributes in random order as far as they fit."""
    if not scene.parts:
        return phrases.SILENCE
    told = [_what(scene)]
    attributes = _attributes(scene)
    for place in rng.permutation(len(attributes)):
        longer = " ".join([*told, attributes[place]])
        if len(longer.split()) <= MAX_TOKENS:
            told.append(attributes[place])
    return " ".join(told)


def _what(scene: Scene) -> str:
    if scene.melody is not None:
        return f"{phrases.part_named(scene.parts[0])} plays ."
    return phrases.heard_in_order([phrases.part_named(part) for part in scene.parts])


def _attributes(scene: Scene) -> list[str]:
    told = []
    if scene.domain == "events":
        told.append(phrases.sounds(len(scene.parts)))
    for later in range(1, len(scene.events())):
        told += phrases.compared(scene.events(), later)
    for spoken in scene.utterances():
        said = lexicon.SENTENCES[spoken.sentence]
        told += [*phrases.manner(spoken), phrases.the_words(said.text)]
        told.append(phrases.REGISTER[lexicon.REGISTER[spoken.voice]])
    if scene.melody is not None:
        told += _melody(scene)
    if scene.domain in ("speech", "music"):
        told.append(phrases.LOUDNESS[scene.trend])
    return told


def _melody(scene: Scene) -> list[str]:
    melody = scene.melody
    assert melody is not None
    return [
        phrases.PITCH[melody.contour],
        phrases.RATE[melody.rate],
        phrases.MODE[melody.mode],
        phrases.notes(len(scene.notes())),
        phrases.tempo(lexicon.BEATS_PER_MINUTE[melody.rate]),
    ]
