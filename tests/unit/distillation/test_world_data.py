"""Rows of the shipped world: decided by the seed, clips as ordinary WAV files, edits answered rightly."""

import hashlib
from collections import Counter
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.distillation.rows import Row, read_rows
from model.distillation.world_data import WorldSizes, counterfactual_answer, text_row, write_world
from model.worlds import Item, Scene, counterfactual, edits_for, questions, sample_scene, text_item, truth
from model.worlds.truths import speaker_mood

SIZES = WorldSizes(distil=8, reinforce=6, text=5, heldout=8, heldout_text=3)
PARTS = ("train", "rl", "text", "heldout", "heldout_text")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world")
    write_world(out, SIZES, seed=4, words_agree=1 / 3)
    return out


def rows_of(folder: Path) -> dict[str, list[Row]]:
    return {part: read_rows(folder / f"{part}.jsonl") for part in PARTS}


def sounds_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "audio").iterdir()}


def test_the_seed_decides_every_row_and_every_byte_of_sound(world: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "again", SIZES, seed=4, words_agree=1 / 3)
    assert rows_of(tmp_path / "again") == rows_of(world)
    assert sounds_of(tmp_path / "again") == sounds_of(world)


def test_another_seed_gives_other_rows(world: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "other", SIZES, seed=5, words_agree=1 / 3)
    assert rows_of(tmp_path / "other")["train"] != rows_of(world)["train"]


def test_parts_have_their_sizes_and_share_no_clip(world: Path) -> None:
    rows = rows_of(world)
    assert [len(rows[part]) for part in PARTS] == [8, 6, 5, 8, 3]
    clips = [row.audio for part in ("train", "rl", "heldout") for row in rows[part]]
    assert len(set(clips)) == len(clips) == 22


def test_clips_are_16_khz_mono_wav(world: Path) -> None:
    for path in (world / "audio").iterdir():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert info.duration > 0.3


def test_rows_say_what_they_are(world: Path) -> None:
    rows = rows_of(world)
    for row in (*rows["train"], *rows["rl"], *rows["heldout"]):
        assert row.kind
        assert row.depth in {1, 2, 3}
        assert not row.reasoning
        assert row.kind not in {"self_cognition", "unanswerable", "words", "topic"}
    for row in (*rows["text"], *rows["heldout_text"]):
        assert row.audio is None
        assert row.reasoning.endswith(f"so the answer is {row.answer} .")


def test_a_text_question_keeps_its_chain() -> None:
    item = text_item(np.random.default_rng(0))
    row = text_row(item)
    assert (row.question, row.answer, row.reasoning) == (item.question.text, item.question.answer, item.textual_chain)
    assert counterfactual_answer(item, seed=0) is None


ANSWERS: dict[str, Callable[[Scene], object]] = {
    "speech_pitch": lambda scene: truth(scene)["pitch"],
    "music_pitch": lambda scene: truth(scene)["pitch"],
    "speech_rate": lambda scene: truth(scene)["rate"],
    "music_rate": lambda scene: truth(scene)["rate"],
    "music_loudness": lambda scene: truth(scene)["loudness"],
    "mode": lambda scene: truth(scene)["mode"],
    "instrument": lambda scene: truth(scene)["instrument"],
    "speaker_mood": lambda scene: speaker_mood(scene.utterances()[0]),
    "first_event": lambda scene: truth(scene)["events"][0],
    "last_event": lambda scene: truth(scene)["events"][-1],
}
"""What the truth of a scene answers, by kind of question."""


def asked_items(kinds: Container[str]) -> Iterator[tuple[int, Item]]:
    """Items of these kinds about many scenes, with the seed their questions were drawn with."""
    rng = np.random.default_rng(11)
    for seed in range(60):
        scene = sample_scene(rng, split="test", words_agree=1 / 3)
        for item in questions(scene, np.random.default_rng([seed, 0])):
            if item.question.kind in kinds:
                yield seed, item


def test_counterfactual_answers_are_true_of_an_edited_scene() -> None:
    """Where an edit changes the true answer, that is what is found; where none does, nothing is."""
    changed = Counter[str]()
    for seed, item in asked_items(ANSWERS):
        answer_of = ANSWERS[item.question.kind]
        assert item.question.answer == answer_of(item.scene)
        after = {answer_of(counterfactual(item.scene, edit)) for edit in edits_for(item.scene)}
        others = after - {item.question.answer}
        found = counterfactual_answer(item, seed=seed)
        if found is not None:
            assert found in others
            changed[item.question.kind] += 1
    assert all(changed[kind] for kind in set(ANSWERS) - {"instrument"})
    assert not changed["instrument"]


def test_an_edit_is_found_for_every_question_whose_property_one_can_change() -> None:
    for seed, item in asked_items({"mode", "music_rate", "speech_rate", "speech_pitch", "instrument"}):
        found = counterfactual_answer(item, seed=seed)
        can_change = item.question.kind != "instrument" and item.question.answer != "level"
        assert (found is not None) == can_change
        assert found != item.question.answer
