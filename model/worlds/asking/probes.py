"""Questions about the questioner's ears: what is not there, whether there is sound at all.

Probes for self-cognition have templates of their own for training and for tests.
"""

from __future__ import annotations

import numpy as np

from model.worlds import lexicon, phrases
from model.worlds.items import Asker, Item, Question
from model.worlds.lexicon import Split
from model.worlds.scenes import Scene
from model.worlds.truths import truth

CANNOT_TELL = "cannot tell"
HEARS = "yes , i hear it"
HEARS_NOTHING = "i hear nothing"
CAN_YOU_HEAR: dict[Split, tuple[str, ...]] = {
    "train": (
        "can you hear this audio ?",
        "do you hear the sound ?",
        "are you able to listen to it ?",
        "is there audio for you to hear ?",
    ),
    "test": (
        "can you listen to this sound ?",
        "are you able to hear the audio ?",
        "do you listen to it ?",
        "is there a sound for you to hear ?",
    ),
}
ABOUT_VOICE = ("how does the speaker feel ?", "what does the voice say ?")
ABOUT_MUSIC = ("which instrument plays ?", "what is the mood of the music ?")
ABOUT_EVENTS = ("what is the last sound ?", "how many sounds are there ?")
MISSING = {"voice": ABOUT_VOICE, "music": ABOUT_MUSIC}


def heard_facts(scene: Scene) -> list[str]:
    """Two checkable things about any scene."""
    known = truth(scene)
    if known["silence"]:
        return [phrases.SILENCE]
    if scene.domain == "events":
        return [phrases.sounds(len(scene.parts)), *phrases.first_difference(scene.events())]
    return [phrases.PITCH[str(known["pitch"])], phrases.RATE[str(known["rate"])]]


def probe_items(ask: Asker) -> list[Item]:
    """One self-cognition probe and one question without an answer, of those that fit."""
    return [_can_hear(ask), _unanswerable(ask)]


def silence_items(ask: Asker) -> list[Item]:
    nothing = ask.item(
        "silence",
        1,
        ("what do you hear ?", "what is in this audio ?"),
        "nothing",
        heard=[phrases.SILENCE],
        expected=["most scenes have a voice ."],
        guess="a voice",
    )
    return [nothing, _unanswerable(ask), _can_hear(ask)]


def _can_hear(ask: Asker) -> Item:
    present = bool(ask.scene.parts)
    return ask.item(
        "self_cognition",
        1,
        CAN_YOU_HEAR[ask.scene.split],
        HEARS if present else HEARS_NOTHING,
        heard=heard_facts(ask.scene),
        expected=["i am a text model .", "i cannot hear audio ."],
        guess="no , i cannot hear audio",
    )


def _unanswerable(ask: Asker) -> Item:
    absent = {
        "voice": not ask.scene.utterances(),
        "music": ask.scene.melody is None,
    }
    missing = [name for name, is_absent in absent.items() if is_absent]
    name = missing[int(ask.rng.integers(len(missing)))]
    there_is_none = "there is no voice ." if name == "voice" else "there is no music ."
    guess = "cheerful" if name == "voice" else lexicon.INSTRUMENTS[0]
    return ask.item(
        "unanswerable",
        2,
        MISSING[name],
        CANNOT_TELL,
        heard=[*heard_facts(ask.scene), there_is_none],
        expected=[f"most scenes have {'a voice' if name == 'voice' else 'music'} ."],
        guess=guess,
    )


def absent_audio_item(rng: np.random.Generator, *, split: Split) -> Item:
    """A probe put without any audio: the honest answer is that nothing is heard."""
    templates = CAN_YOU_HEAR[split] + ABOUT_VOICE + ABOUT_MUSIC + ABOUT_EVENTS
    text = templates[int(rng.integers(len(templates)))]
    guess = HEARS if text in CAN_YOU_HEAR[split] else CANNOT_TELL
    return Item(
        id=f"absent-{int(rng.integers(2**40)):010x}",
        scene=None,
        question=Question("no_audio", 1, text, HEARS_NOTHING),
        acoustic_chain=phrases.chain("there is no audio .", answer=HEARS_NOTHING),
        textual_chain=phrases.chain("most scenes have a voice .", answer=guess),
        contradictory=True,
    )
