"""Reasoning becomes claims by a golden table: every nano phrase, ordinary English, and what must not be read."""

import json
import time
from pathlib import Path

import pytest

from model.acoustics.claims import Relation, extract_claims

LABELLED = Path(__file__).parent / "labelled_claims.jsonl"

# Text, and for every claim in it: descriptor, relation, value.
NANO = [
    ("the pitch rises .", [("pitch_direction", "is", "rises")]),
    ("the pitch falls .", [("pitch_direction", "is", "falls")]),
    ("the pitch stays level .", [("pitch_direction", "is", "level")]),
    ("the voice is low .", [("register", "is", "low")]),
    ("the voice is high .", [("register", "is", "high")]),
    ("it gets louder .", [("loudness_direction", "is", "louder")]),
    ("it gets softer .", [("loudness_direction", "is", "softer")]),
    ("the loudness stays even .", [("loudness_direction", "is", "even")]),
    ("it is slow .", [("rate", "is", "slow")]),
    ("it is fast .", [("rate", "is", "fast")]),
    ("the mode is major .", [("mode", "is", "major")]),
    ("the mode is minor .", [("mode", "is", "minor")]),
    ("there are three sounds .", [("event_count", "equals", 3)]),
    ("there is one sound .", [("event_count", "equals", 1)]),
    ("there are five notes .", [("note_count", "equals", 5)]),
    ("it is bright .", [("brightness", "is", "bright")]),
    ("it is dark .", [("brightness", "is", "dark")]),
    ("the second sound is louder than the first .", [("sound_loudness", "greater", "2:1")]),
    ("the third sound is softer than the second .", [("sound_loudness", "less", "3:2")]),
    ("the last note is higher than the first .", [("note_pitch", "greater", "-1:1")]),
    ("the last note is lower than the first .", [("note_pitch", "less", "-1:1")]),
    ("the last note is the same as the first .", [("note_pitch", "equals", "-1:1")]),
    ("about 120 beats per minute .", [("tempo", "equals", 120)]),
    ("there is no sound .", [("silence", "is", "silent")]),
    (
        "the pitch rises . it is fast . so the answer is cheerful .",
        [("pitch_direction", "is", "rises"), ("rate", "is", "fast")],
    ),
    (
        "i hear a dog , then a bell . there are two sounds . the second sound is louder than the first .",
        [("event_count", "equals", 2), ("sound_loudness", "greater", "2:1")],
    ),
]
ENGLISH = [
    ("The melody is in a minor key at about 120 BPM.", [("mode", "is", "minor"), ("tempo", "equals", 120)]),
    ("It is in C# minor.", [("key", "is", "C# minor")]),
    ("The key of the piece is unclear, but it is played in B flat major.", [("key", "is", "Bb major")]),
    ("The second knock is louder.", [("sound_loudness", "greater", "2:1")]),
    ("The third burst is as loud as the first.", [("sound_loudness", "equals", "3:1")]),
    ("The intonation climbs steadily.", [("pitch_direction", "is", "rises")]),
    ("Her pitch slowly goes down.", [("pitch_direction", "is", "falls")]),
    (
        "I notice a falling intonation and a deep voice.",
        [("pitch_direction", "is", "falls"), ("register", "is", "low")],
    ),
    ("A high-pitched voice is heard.", [("register", "is", "high")]),
    ("The speaker speaks slowly.", [("rate", "is", "slow")]),
    ("The tempo is quick.", [("rate", "is", "fast")]),
    ("The volume increases.", [("loudness_direction", "is", "louder")]),
    ("The music fades out.", [("loudness_direction", "is", "softer")]),
    ("There is a crescendo.", [("loudness_direction", "is", "louder")]),
    ("The timbre is dark.", [("brightness", "is", "dark")]),
    ("There are exactly 4 notes.", [("note_count", "equals", 4)]),
    ("There are at least 2 sounds.", [("event_count", "at_least", 2)]),
    ("I can hear three distinct events.", [("event_count", "equals", 3)]),
    ("I count four onsets.", [("onset_count", "equals", 4)]),
    ("The clip lasts about 3 seconds.", [("duration", "equals", 3)]),
    ("I hear only silence.", [("silence", "is", "silent")]),
    ("The pitch does not rise.", [("pitch_direction", "is_not", "rises")]),
    ("It is not fast.", [("rate", "is_not", "fast")]),
    ("THE PITCH FALLS!", [("pitch_direction", "is", "falls")]),
    ("It lasts two and a half seconds.", [("duration", "equals", 2.5)]),
    ("The tempo is two hundred beats per minute.", [("tempo", "equals", 200)]),
    ("It moves at ninety-five bpm.", [("tempo", "equals", 95)]),
    ("The notes are C4 , Eb4 and G4 .", [("note_sequence", "is", "C4 Eb4 G4")]),
    ("There is no falling intonation.", [("pitch_direction", "is_not", "falls")]),
    ("the third sound is the loudest .", [("loudest_sound", "equals", 3)]),
    ("The third knock is louder than the others.", [("loudest_sound", "equals", 3)]),
    ("The tempo is more than 120 bpm.", [("tempo", "at_least", 120)]),
    ("The pitch is below 200 Hz.", [("pitch_median", "at_most", 200)]),
    ("The clip lasts less than 3 seconds.", [("duration", "at_most", 3)]),
    (
        "The melody goes up and the volume comes down.",
        [("pitch_direction", "is", "rises"), ("loudness_direction", "is", "softer")],
    ),
    ("There are no changes in pitch.", [("pitch_direction", "is", "level")]),
    ("Each note is higher than the last.", [("pitch_direction", "is", "rises")]),
]
NOT_CLAIMS = [
    "does the pitch rise ?",
    "Is it fast?",
    "if the pitch rises , the mood is cheerful .",
    "a flute is usually calm .",
    "perhaps the pitch falls .",
    "the pitch rises or falls .",
    "the words say it is slow .",
    'he says "the pitch falls" .',
    "so the answer is fast .",
    "the answer is the pitch rises .",
    "the words say we won the game . that is happy news . so the answer is cheerful .",
    "i hear a dog , then a bell .",
    "a flute plays .",
    "the pitch rises and then falls .",
    "the second sound is not louder than the first .",
    "the first sound is louder .",
    "the bus is blue .",
    "the sun rises .",
    "yes , i hear it .",
    "two plus three is five .",
    "the third sound is a bell .",
    "the bell comes three times .",
    "in the other mode it is minor .",
    "with the other rate it is fast .",
    "instead take fast .",
    "the voice must be sad .",
    "there is no voice .",
    "i hear a voice , then a bell .",
    "the pitch probably rises .",
    "i think it is slow .",
    "the pitch hardly falls .",
    "it sounds as if the pitch rises .",
    "the pitch falls , i think .",
    "it is slow , perhaps .",
    "the tempo is not 120 bpm .",
    "the tempo goes from 90 to 120 bpm .",
    "there are three knocks and two barks .",
    "there is no sound of a dog .",
    "the clip is silent after the bell .",
    "nothing else can be heard .",
    "the tune is the same as before .",
    "the second sound has the same pitch as the first .",
    "the footsteps get louder and then softer .",
    "the pitch goes up , then down .",
    "the voice drops to a whisper .",
    "the first clap gets weaker .",
    "",
]


@pytest.mark.parametrize(("text", "expected"), NANO + ENGLISH, ids=[text for text, _ in NANO + ENGLISH])
def test_claims_of_a_text(text, expected):
    found = [(claim.descriptor, claim.relation.value, claim.value) for claim in extract_claims(text)]
    assert found == expected


@pytest.mark.parametrize("text", NOT_CLAIMS)
def test_no_claim_is_invented(text):
    assert extract_claims(text) == []


@pytest.mark.parametrize("text", [text for text, _ in NANO + ENGLISH])
def test_a_claim_knows_where_it_stands(text):
    for claim in extract_claims(text):
        assert text[claim.text_start : claim.text_end] == claim.text
        assert claim.text


@pytest.mark.parametrize(
    ("split", "sentences", "recall"),
    [
        ("development", 149, 0.95),
        ("held-out", 125, 0.9),
        ("fresh", 33, 0.85),
        ("blind", 60, 0.9),
        ("blind held-out", 40, 0.85),
        ("reasoner", 40, 0.9),
        ("untouched", 40, 0.75),
        ("prose", 91, 0.95),
        ("prose untouched", 89, 0.9),
    ],
)
def test_labelled_sentences_are_read_with_precision_and_recall(split, sentences, recall):
    """What English to expect: the rules saw "development", "blind", "reasoner" and "prose", which say little of others.

    "Blind" and "blind held-out" were written and labelled before their writer saw the rules, which then read 0.44 and
    0.52 of their claims; "untouched" was written after a change of rules that read 0.68 of it, and the next read 0.79.
    "Prose" was written and split by a hash before its writer saw the rules, which then read 0.56 of it and 0.64 of
    "prose untouched"; its failures widened the rules, and of the other half, measured once, 0.91 is read and two of 69
    claims are wrong. Its writer knew the sentences while widening: other people's English lies nearer to 0.8.
    """
    rows = [row for row in map(json.loads, LABELLED.read_text().splitlines()) if row["split"] == split]
    assert len(rows) == sentences
    right = found_count = labelled_count = 0
    for row in rows:
        found = {(claim.descriptor, claim.relation.value, claim.value) for claim in extract_claims(row["text"])}
        labelled = {tuple(claim) for claim in row["claims"]}
        right += len(found & labelled)
        found_count += len(found)
        labelled_count += len(labelled)
    assert right / found_count >= 0.95
    assert right / labelled_count >= recall


def test_places_hold_where_lower_case_is_longer():
    text = "İİİ the pitch rises ."
    (claim,) = extract_claims(text)
    assert claim.text == "the pitch rises"


@pytest.mark.parametrize(
    ("text", "stretch"),
    [
        ("from 1.2 to 2.0 s the voice falls .", (1.2, 2.0, "")),
        ("Between 1 and 2 seconds the pitch rises.", (1.0, 2.0, "")),
        ("the pitch rises at the end .", (None, None, "end")),
        ("in the first half the pitch rises .", (None, None, "first half")),
        ("In the first two seconds the pitch rises.", (0.0, 2.0, "")),
        ("After 1.5 s the pitch rises.", (1.5, None, "")),
        ("From 0.5–1.5 s the pitch rises.", (0.5, 1.5, "")),
        ("the pitch rises .", (None, None, "")),
    ],
)
def test_the_stretch_a_claim_speaks_of(text, stretch):
    (claim,) = extract_claims(text)
    assert (claim.start_s, claim.end_s, claim.part) == stretch


@pytest.mark.parametrize(
    ("text", "tolerance"), [("100 bpm .", 4.0), ("there are about 4 notes .", 1.0), ("there are 4 notes .", 0.0)]
)
def test_tolerances_follow_the_words(text, tolerance):
    (claim,) = extract_claims(text)
    assert claim.relation is Relation.EQUALS
    assert claim.tolerance == pytest.approx(tolerance)


def test_extraction_is_fast_enough_for_thousands_of_rollouts():
    chain = " ".join(text for text, _ in NANO[:6])
    extract_claims(chain)
    start = time.process_time()
    for _ in range(200):
        extract_claims(chain)
    assert (time.process_time() - start) / 200 < 1e-3  # about 0.07 ms on a quiet core; the goal is 0.2 ms


def test_long_or_odd_text_is_read_in_linear_time():
    start = time.process_time()
    for text in (
        "the pitch " * 5_000,
        "very " * 10_000 + ".",
        "the pitch rises . " * 1_000,
        "1" * 20_000,
        "." * 20_000,
        "“" * 100_000,
        "there is no sound " * 5_000,
    ):
        extract_claims(text)
    assert time.process_time() - start < 5
