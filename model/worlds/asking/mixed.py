"""Questions about a voice with a sound before or after it."""

from __future__ import annotations

from model.worlds import lexicon, phrases
from model.worlds.asking.speech import argued_from_words, sentence_of, speech_items
from model.worlds.items import Asker, Item
from model.worlds.scenes import Event
from model.worlds.truths import speaker_mood

USUAL_SOUND = "clapping"


def mixed_items(ask: Asker) -> list[Item]:
    """The questions about the voice, and those about both."""
    (event,) = ask.scene.events()
    return [*speech_items(ask), _beside(ask, event), _both(ask, event)]


def _in_order(ask: Asker) -> str:
    """A voice is not one sound to a counter of onsets, so the chain leaves the count out."""
    return phrases.heard_in_order([phrases.part_named(part) for part in ask.scene.parts])


def _beside(ask: Asker, event: Event) -> Item:
    (spoken,) = ask.scene.utterances()
    where = "before" if isinstance(ask.scene.parts[0], Event) else "after"
    return ask.item(
        "beside_voice",
        2,
        (f"what comes {where} the voice ?", f"which sound is {where} the voice ?"),
        event.label,
        heard=[_in_order(ask), *phrases.manner(spoken)],
        expected=[*argued_from_words(spoken), f"{USUAL_SOUND} usually comes {where} news ."],
        guess=USUAL_SOUND,
        values=lexicon.EVENTS,
    )


def _both(ask: Asker, event: Event) -> Item:
    (spoken,) = ask.scene.utterances()
    mood = sentence_of(spoken).usual_mood
    return ask.item(
        "sound_and_mood",
        3,
        (
            "which sound is there beside the voice , and how does the speaker feel ?",
            "name the sound beside the voice and the mood of the speaker .",
        ),
        f"{event.label} , {speaker_mood(spoken)}",
        heard=[_in_order(ask), *phrases.manner(spoken)],
        expected=[*argued_from_words(spoken), f"{phrases.named(event.label)} is beside it ."],
        guess=f"{event.label} , {mood}",
    )
