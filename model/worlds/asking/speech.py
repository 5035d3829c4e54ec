"""Questions about a voice: its words, its manner, the mood and energy they amount to."""

from __future__ import annotations

from model.worlds import lexicon, phrases
from model.worlds.asking.changing import changed
from model.worlds.items import Asker, Item
from model.worlds.lexicon import Sentence
from model.worlds.scenes import Utterance
from model.worlds.truths import speaker_energy, speaker_mood

USUAL_MANNER = {mood: manner for manner, mood in lexicon.MOODS.items()}
FITS = tuple(f"{valence} words , {mood} voice" for valence in lexicon.VALENCES for mood in lexicon.MOODS.values())


def speech_items(ask: Asker) -> list[Item]:
    """Every question that fits a scene with one utterance."""
    (spoken,) = ask.scene.utterances()
    return [
        *_words(ask, spoken),
        *_manner(ask, spoken),
        mood_item(ask, spoken),
        _fit(ask, spoken),
        _changed_mood(ask, spoken),
        *(_with_trend(ask, spoken) if ask.scene.domain == "speech" else []),
    ]


def sentence_of(spoken: Utterance) -> Sentence:
    return lexicon.SENTENCES[spoken.sentence]


def argued_from_words(spoken: Utterance) -> list[str]:
    """The start of every argument that does not listen."""
    said = sentence_of(spoken)
    return [phrases.the_words(said.text), phrases.VALENCE[said.valence]]


def _words(ask: Asker, spoken: Utterance) -> list[Item]:
    said = sentence_of(spoken)
    heard = [*phrases.manner(spoken), phrases.the_words(said.text)]
    words = ask.item(
        "words",
        1,
        ("what does the voice say ?", "which words do you hear ?"),
        said.text,
        heard=heard,
        expected=[phrases.the_words(said.text)],
        guess=said.text,
        values=[sentence.text for sentence in lexicon.SENTENCES],
    )
    topic = ask.item(
        "topic",
        1,
        ("what is the voice talking about ?", "what are the words about ?"),
        said.topic,
        heard=heard,
        expected=argued_from_words(spoken),
        guess=said.topic,
        values=[sentence.topic for sentence in lexicon.SENTENCES],
    )
    return [words, topic]


def _manner(ask: Asker, spoken: Utterance) -> list[Item]:
    mood = sentence_of(spoken).usual_mood
    pitch, rate = USUAL_MANNER[mood]
    register = lexicon.REGISTER[spoken.voice]
    usual = [*argued_from_words(spoken), f"the voice must be {mood} ."]
    return [
        ask.item(
            "speech_pitch",
            1,
            ("how does the pitch of the voice move ?", "where does the pitch of the voice go ?"),
            spoken.pitch,
            heard=[phrases.RATE[spoken.rate], phrases.PITCH[spoken.pitch]],
            expected=usual,
            guess=pitch,
        ),
        ask.item(
            "speech_rate",
            1,
            ("how fast is the voice ?", "is the voice slow or fast ?"),
            spoken.rate,
            heard=phrases.manner(spoken),
            expected=usual,
            guess=rate,
        ),
        ask.item(
            "register",
            1,
            ("is the voice low or high ?", "how high is the voice ?"),
            register,
            heard=[phrases.PITCH[spoken.pitch], phrases.REGISTER[register]],
            expected=[phrases.the_words(sentence_of(spoken).text), "most voices are low ."],
            guess="low",
        ),
    ]


def _with_trend(ask: Asker, spoken: Utterance) -> list[Item]:
    loudness = ask.item(
        "speech_loudness",
        1,
        ("how does the loudness of the voice change ?", "does the voice get louder or softer ?"),
        ask.scene.trend,
        heard=[phrases.PITCH[spoken.pitch], phrases.LOUDNESS[ask.scene.trend]],
        expected=argued_from_words(spoken),
        guess=lexicon.USUAL_TREND[sentence_of(spoken).valence],
    )
    return [loudness, _energy(ask, spoken), _changed_energy(ask, spoken)]


def mood_item(ask: Asker, spoken: Utterance) -> Item:
    """The mood of the speaker: two things to hear, one thing to conclude."""
    return ask.item(
        "speaker_mood",
        2,
        ("how does the speaker feel ?", "what is the mood of the speaker ?"),
        speaker_mood(spoken),
        heard=phrases.manner(spoken),
        expected=argued_from_words(spoken),
        guess=sentence_of(spoken).usual_mood,
        values=tuple(lexicon.MOODS.values()),
    )


def _fit(ask: Asker, spoken: Utterance) -> Item:
    said, mood = sentence_of(spoken), speaker_mood(spoken)
    return ask.item(
        "words_and_voice",
        3,
        ("do the words fit the voice ?", "how do the words and the voice go together ?"),
        f"{said.valence} words , {mood} voice",
        heard=[*argued_from_words(spoken), *phrases.manner(spoken), f"the voice is {mood} ."],
        expected=[*argued_from_words(spoken), f"the voice must be {said.usual_mood} ."],
        guess=f"{said.valence} words , {said.usual_mood} voice",
        values=FITS,
    )


def _energy(ask: Asker, spoken: Utterance) -> Item:
    said = sentence_of(spoken)
    usual = USUAL_MANNER[said.usual_mood]
    guess = lexicon.ENERGIES[usual[0], usual[1], lexicon.USUAL_TREND[said.valence]]
    return ask.item(
        "speaker_energy",
        3,
        ("which word fits the speaker best ?", "what is the speaker like ?"),
        speaker_energy(spoken, ask.scene.trend),
        heard=[*phrases.manner(spoken), phrases.LOUDNESS[ask.scene.trend]],
        expected=[*argued_from_words(spoken), f"the voice must be {said.usual_mood} ."],
        guess=guess,
        values=tuple(lexicon.ENERGIES.values()),
    )


def _changed_mood(ask: Asker, spoken: Utterance) -> Item:
    """How the same words would feel at the other pace."""
    usual_pitch, usual_rate = USUAL_MANNER[sentence_of(spoken).usual_mood]
    other = lexicon.OPPOSITE[spoken.rate]
    return ask.item(
        "changed_mood",
        3,
        ("with the other rate , how does the speaker feel ?", "what is the mood of the speaker with the other rate ?"),
        lexicon.MOODS[spoken.pitch, other],
        heard=[*phrases.manner(spoken), phrases.instead(other)],
        expected=argued_from_words(spoken),
        guess=lexicon.MOODS[usual_pitch, lexicon.OPPOSITE[usual_rate]],
        values=tuple(lexicon.MOODS.values()),
    )


def _changed_energy(ask: Asker, spoken: Utterance) -> Item:
    """What the speaker would be like with one thing changed."""
    said = sentence_of(spoken)
    manner = {"pitch": spoken.pitch, "rate": spoken.rate, "loudness": ask.scene.trend}
    change = changed(ask, manner, (*USUAL_MANNER[said.usual_mood], lexicon.USUAL_TREND[said.valence]))
    return ask.item(
        "changed_energy",
        3,
        (
            f"with the other {change.property} , what is the speaker like ?",
            f"which word fits the speaker with the other {change.property} ?",
        ),
        _energy_of(change.manner),
        heard=[*phrases.manner(spoken), phrases.LOUDNESS[ask.scene.trend], phrases.instead(change.other)],
        expected=[*argued_from_words(spoken), f"the voice must be {said.usual_mood} ."],
        guess=_energy_of(change.usual),
        values=tuple(lexicon.ENERGIES.values()),
    )


def _energy_of(manner: dict[str, str]) -> str:
    return lexicon.ENERGIES[manner["pitch"], manner["rate"], manner["loudness"]]
