"""Counterfactual edits: one property changes, the words and the things stay."""

from __future__ import annotations

import numpy as np
import pytest

from model.worlds import (
    Bank,
    EditError,
    Scene,
    counterfactual,
    edits_for,
    questions,
    render,
    sample_scene,
    transcript,
    truth,
)

MAY_CHANGE = {
    "flip_pitch": {"pitch", "last_note"},
    "flip_rate": {"rate", "tempo_bpm"},
    "flip_mode": {"mode"},
    "reverse_order": {"events", "second_sound"},
    "reverse_loudness": {"loudness", "second_sound"},
}


def scenes(count: int = 150, domain: str | None = None) -> list[Scene]:
    rng = np.random.default_rng(21)
    return [sample_scene(rng, split="test", words_agree=1 / 3, domain=domain) for _ in range(count)]


@pytest.mark.parametrize("edit", list(MAY_CHANGE))
def test_an_edit_changes_its_property_alone(edit: str) -> None:
    edited = 0
    for scene in scenes():
        if edit not in edits_for(scene):
            continue
        other = counterfactual(scene, edit)
        before, after = truth(scene), truth(other)
        changed = {key for key in before if before[key] != after[key]}
        assert changed <= MAY_CHANGE[edit]
        assert changed or scene.domain in ("mixed", "events")
        assert other.id != scene.id
        assert transcript(other) == transcript(scene)
        edited += 1
    assert edited > 10


@pytest.mark.parametrize("edit", ["flip_pitch", "flip_mode", "reverse_loudness", "reverse_order"])
def test_an_edit_twice_is_the_truth_again(edit: str) -> None:
    for scene in scenes():
        if edit in edits_for(scene):
            twice = counterfactual(counterfactual(scene, edit), edit)
            assert truth(twice) == truth(scene)


def test_edited_scenes_can_be_heard_and_differ() -> None:
    bank = Bank.load()
    for scene in scenes(40):
        for edit in edits_for(scene):
            other = counterfactual(scene, edit)
            last = other.parts[-1]
            assert last.start_s + last.length_s <= other.duration_s
            before_N, after_N = render(scene, bank), render(other, bank)
            count = min(len(before_N), len(after_N))
            assert np.abs(before_N[:count] - after_N[:count]).max() > 0.001


def test_the_mood_changes_with_the_pitch_and_the_words_do_not_help() -> None:
    changed = 0
    for scene in scenes(domain="speech"):
        if "flip_pitch" not in edits_for(scene):
            continue
        moods = [
            next(item for item in questions(heard, np.random.default_rng(0)) if item.question.kind == "speaker_mood")
            for heard in (scene, counterfactual(scene, "flip_pitch"))
        ]
        assert moods[0].question.answer != moods[1].question.answer
        assert moods[0].textual_chain == moods[1].textual_chain
        changed += 1
    assert changed > 20


def test_edits_that_do_not_exist_or_fit_are_refused() -> None:
    silence = scenes(1, domain="silence")[0]
    with pytest.raises(EditError, match="none") as misfit:
        counterfactual(silence, "flip_mode")
    assert misfit.value.reason == "EDIT_DOES_NOT_FIT"
    with pytest.raises(EditError, match="flip_pitch") as unknown:
        counterfactual(silence, "flip_colour")
    assert unknown.value.reason == "UNKNOWN_EDIT"
