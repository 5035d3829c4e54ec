"""What is true of a scene, from how it was built.

Promises: `truth` has an entry for every descriptor that the claim grammar can check on this scene,
exact by construction, and none for what does not apply. Leaves to others: measuring sound.
"""

from __future__ import annotations

from model.worlds import lexicon
from model.worlds.scenes import Event, Scene, Utterance

Truth = dict[str, str | int | float | bool | list[str]]


def truth(scene: Scene) -> Truth:
    """Descriptor → value.

    Keys: silence, loudness (louder, softer, even), pitch (rises, falls, level), register (low,
    high), rate (slow, fast), mode, event_count, events, note_count, instrument, tempo_bpm,
    second_sound (louder, softer, equal), last_note (higher, lower, same), sentence.
    """
    known: Truth = {"silence": not scene.parts}
    for spoken in scene.utterances():
        known |= {
            "pitch": spoken.pitch,
            "register": lexicon.REGISTER[spoken.voice],
            "rate": spoken.rate,
            "sentence": lexicon.SENTENCES[spoken.sentence].text,
        }
    if scene.events():
        known["events"] = [event.label for event in scene.events()]
    if scene.domain == "events":
        known |= _events(scene.events())
    if scene.melody is not None:
        known |= _music(scene)
    if scene.domain in ("speech", "music"):
        known["loudness"] = scene.trend
    return known


def _events(events: tuple[Event, ...]) -> Truth:
    known: Truth = {"event_count": len(events)}
    if len(events) > 1:
        known["second_sound"] = comparison(events[0], events[1])
    return known


def comparison(earlier: Event, later: Event) -> str:
    """How loud the later event is against the earlier."""
    if later.gain_db == earlier.gain_db:
        return "equal"
    return "louder" if later.gain_db > earlier.gain_db else "softer"


def _music(scene: Scene) -> Truth:
    notes, melody = scene.notes(), scene.melody
    assert melody is not None
    last, first = notes[-1].midi, notes[0].midi
    return {
        "pitch": melody.contour,
        "rate": melody.rate,
        "mode": melody.mode,
        "note_count": len(notes),
        "instrument": notes[0].instrument,
        "tempo_bpm": lexicon.BEATS_PER_MINUTE[melody.rate],
        "last_note": "same" if last == first else "higher" if last > first else "lower",
    }


def speaker_mood(spoken: Utterance) -> str:
    """How the speaker feels, from how it is said; the words have no part in it."""
    return lexicon.MOODS[spoken.pitch, spoken.rate]


def speaker_energy(spoken: Utterance, trend: str) -> str:
    return lexicon.ENERGIES[spoken.pitch, spoken.rate, trend]


def film_scene(scene: Scene) -> str:
    assert scene.melody is not None
    return lexicon.FILM_SCENES[scene.melody.mode, scene.melody.contour, scene.melody.rate]


def music_mood(scene: Scene) -> str:
    assert scene.melody is not None
    return lexicon.MUSIC_MOODS[scene.melody.mode, scene.melody.rate]
