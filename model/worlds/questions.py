"""All questions that fit a scene."""

from __future__ import annotations

import numpy as np

from model.worlds.asking.events import event_items
from model.worlds.asking.mixed import mixed_items
from model.worlds.asking.music import music_items
from model.worlds.asking.probes import probe_items, silence_items
from model.worlds.asking.speech import speech_items
from model.worlds.items import Asker, Item
from model.worlds.scenes import Scene

ASKED = {
    "speech": speech_items,
    "music": music_items,
    "events": event_items,
    "mixed": mixed_items,
}


def questions(scene: Scene, rng: np.random.Generator) -> list[Item]:
    """One item of every kind that fits; templates, choices and details are drawn from `rng`."""
    ask = Asker(scene, rng)
    if scene.domain == "silence":
        return silence_items(ask)
    return [*ASKED[scene.domain](ask), *probe_items(ask)]
