"""Questions about a melody: who plays, how it moves, its mode, and what they amount to."""

from __future__ import annotations

from model.worlds import lexicon, phrases
from model.worlds.asking.changing import changed
from model.worlds.items import Asker, Item
from model.worlds.scenes import Melody
from model.worlds.truths import film_scene, music_mood, truth

MANNER_OF_FILM = {film: manner for manner, film in lexicon.FILM_SCENES.items()}
LAST_AND_MODE = tuple(f"{last} , {mode}" for last in ("higher", "lower", "same") for mode in lexicon.MODES)
MOST_NOTES = "four"


def music_items(ask: Asker) -> list[Item]:
    """Every question that fits a melody."""
    melody = ask.scene.melody
    assert melody is not None
    played = ask.scene.notes()[0].instrument
    instrument = lexicon.instrument_name(played)
    return [
        *([_instrument(ask, melody, instrument)] if played in lexicon.INSTRUMENTS else []),
        *_manner(ask, melody, instrument),
        *_notes(ask, melody, instrument),
        *_meaning(ask, melody, instrument),
        _changed_film(ask, melody, instrument),
    ]


def usual_mood(instrument: str) -> str:
    mode, _, rate = MANNER_OF_FILM[lexicon.USUAL_FILM_SCENE[instrument]]
    return lexicon.MUSIC_MOODS[mode, rate]


def _expected(instrument: str) -> list[str]:
    """Arguments from what an instrument usually plays."""
    name = phrases.named(instrument)
    return [f"{name} plays .", f"{name} is usually {usual_mood(instrument)} ."]


def _instrument(ask: Asker, melody: Melody, instrument: str) -> Item:
    guess = next(name for name in lexicon.INSTRUMENTS if usual_mood(name) == music_mood(ask.scene))
    return ask.item(
        "instrument",
        1,
        ("which instrument plays ?", "what instrument do you hear ?"),
        instrument,
        heard=[
            phrases.PITCH[melody.contour],
            phrases.RATE[melody.rate],
            f"{phrases.named(instrument)} plays .",
        ],
        expected=["the music is " + music_mood(ask.scene) + " ."],
        guess=guess,
        values=lexicon.INSTRUMENTS,
    )


def _manner(ask: Asker, melody: Melody, instrument: str) -> list[Item]:
    mode, contour, rate = MANNER_OF_FILM[lexicon.USUAL_FILM_SCENE[instrument]]
    expected = _expected(instrument)
    pitch, speed = phrases.PITCH[melody.contour], phrases.RATE[melody.rate]
    loudness = phrases.LOUDNESS[ask.scene.trend]
    return [
        ask.item(
            "music_pitch",
            1,
            ("how does the melody move ?", "where does the melody go ?"),
            melody.contour,
            heard=[speed, pitch],
            expected=expected,
            guess=contour,
        ),
        ask.item(
            "music_rate",
            1,
            ("how fast is the music ?", "is the music slow or fast ?"),
            melody.rate,
            heard=[pitch, speed, phrases.tempo(lexicon.BEATS_PER_MINUTE[melody.rate])],
            expected=expected,
            guess=rate,
        ),
        ask.item(
            "mode",
            1,
            ("is the music major or minor ?", "what is the mode of the music ?"),
            melody.mode,
            heard=[pitch, phrases.MODE[melody.mode]],
            expected=expected,
            guess=mode,
        ),
        ask.item(
            "music_loudness",
            1,
            (
                "how does the loudness of the music change ?",
                "does the music get louder or softer ?",
            ),
            ask.scene.trend,
            heard=[speed, loudness],
            expected=[*expected, "music mostly stays even ."],
            guess="even",
        ),
    ]


def _notes(ask: Asker, melody: Melody, instrument: str) -> list[Item]:
    mode, contour, _ = MANNER_OF_FILM[lexicon.USUAL_FILM_SCENE[instrument]]
    count = len(ask.scene.notes())
    last = str(truth(ask.scene)["last_note"])
    usual_last = {"rises": "higher", "falls": "lower", "level": "same"}[contour]
    return [
        ask.item(
            "note_count",
            1,
            ("how many notes are played ?", "how many notes do you hear ?"),
            lexicon.NUMBERS[count],
            heard=[phrases.RATE[melody.rate], phrases.notes(count)],
            expected=[*_expected(instrument), f"most melodies have {MOST_NOTES} notes ."],
            guess=MOST_NOTES,
        ),
        ask.item(
            "last_note_and_mode",
            3,
            (
                "is the last note higher or lower than the first , and what is the mode ?",
                "how does the last note stand to the first , and in which mode ?",
            ),
            f"{last} , {melody.mode}",
            heard=[
                phrases.PITCH[melody.contour],
                phrases.LAST_NOTE[last],
                phrases.MODE[melody.mode],
            ],
            expected=_expected(instrument),
            guess=f"{usual_last} , {mode}",
            values=LAST_AND_MODE,
        ),
    ]


def _meaning(ask: Asker, melody: Melody, instrument: str) -> list[Item]:
    usual_film = lexicon.USUAL_FILM_SCENE[instrument]
    mode, speed = phrases.MODE[melody.mode], phrases.RATE[melody.rate]
    return [
        ask.item(
            "music_mood",
            2,
            ("what is the mood of the music ?", "how does the music feel ?"),
            music_mood(ask.scene),
            heard=[mode, speed],
            expected=_expected(instrument),
            guess=usual_mood(instrument),
            values=tuple(lexicon.MUSIC_MOODS.values()),
        ),
        ask.item(
            "film_scene",
            3,
            ("which film scene does the music fit ?", "for which film scene is this music ?"),
            film_scene(ask.scene),
            heard=[mode, speed, phrases.PITCH[melody.contour]],
            expected=[*_expected(instrument), f"that fits a film scene like {usual_film} ."],
            guess=usual_film,
            values=tuple(lexicon.FILM_SCENES.values()),
        ),
    ]


def _changed_film(ask: Asker, melody: Melody, instrument: str) -> Item:
    """What the music would be for with one thing about it changed."""
    usual_film = lexicon.USUAL_FILM_SCENE[instrument]
    manner = {"mode": melody.mode, "pitch": melody.contour, "rate": melody.rate}
    change = changed(ask, manner, MANNER_OF_FILM[usual_film])
    return ask.item(
        "changed_film_scene",
        3,
        (
            f"with the other {change.property} , which film scene does the music fit ?",
            f"for which film scene is this music with the other {change.property} ?",
        ),
        _film_of(change.manner),
        heard=[
            phrases.MODE[melody.mode],
            phrases.RATE[melody.rate],
            phrases.PITCH[melody.contour],
            phrases.instead(change.other),
        ],
        expected=[*_expected(instrument), f"that fits a film scene like {usual_film} ."],
        guess=_film_of(change.usual),
        values=tuple(lexicon.FILM_SCENES.values()),
    )


def _film_of(manner: dict[str, str]) -> str:
    return lexicon.FILM_SCENES[manner["mode"], manner["pitch"], manner["rate"]]
