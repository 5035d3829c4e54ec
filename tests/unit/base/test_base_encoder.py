"""The encoder's labels are true of their scenes, and it learns from them the same way each time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.base.corpus import Pool, build_pool
from model.base.encoder import Listener, listening_loss, train_encoder
from model.base.labels import FRAME_HZ, HEADS, IGNORED, SOURCES, frame_labels, stacked
from model.learning.trainer import OptimiserConfig
from model.network.audio_encoder import AudioEncoder
from model.worlds import Scene, sample_scene
from tests.unit.learning.tiny import ENCODER_WIDTH, tiny_model

OPTIMISER = OptimiserConfig(learning_rate=5e-3, warmup_steps=2, total_steps=20, bf16=False)


def scenes(domain: str | None = None, count: int = 20) -> list[Scene]:
    rng = np.random.default_rng(8)
    return [sample_scene(rng, split="train", words_agree=0.85, domain=domain) for _ in range(count)]


def frames_of(scene: Scene) -> int:
    return round(scene.duration_s * FRAME_HZ)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return build_pool(tmp_path_factory.mktemp("pool"), count=4, seed=0, words_agree=0.85)


def test_every_label_is_a_class_of_its_head_or_ignored() -> None:
    for scene in scenes(count=60):
        labels = frame_labels(scene, frames_of(scene))
        assert set(labels) == set(HEADS)
        for head, size in HEADS.items():
            assert labels[head].shape == (frames_of(scene),)
            assert all(label == IGNORED or 0 <= label < size for label in labels[head].tolist())


def test_the_source_is_what_sounds_at_that_time() -> None:
    for scene in scenes("events"):
        source = frame_labels(scene, frames_of(scene))["source"]
        for event in scene.events():
            middle = round((event.start_s + event.length_s / 2) * FRAME_HZ)
            assert SOURCES[source[middle]] == event.label
        assert source[0] == 0 or scene.events()[0].start_s < 1 / FRAME_HZ


def test_the_pitch_of_a_melody_moves_as_its_notes() -> None:
    for scene in scenes("music"):
        pitch = frame_labels(scene, frames_of(scene))["pitch"]
        middles = [round((note.start_s + note.length_s / 2) * FRAME_HZ) for note in scene.notes()]
        steps = np.diff([note.midi for note in scene.notes()])
        assert np.array_equal(np.diff(pitch[middles]), steps)


def test_silence_has_nothing_to_say() -> None:
    (scene,) = scenes("silence", count=1)
    labels = frame_labels(scene, 30)
    assert labels["source"].tolist() == [0] * 30
    assert all((labels[head] == IGNORED).all() for head in HEADS if head != "source")


def test_a_clip_shorter_than_its_scene_keeps_the_labels_of_what_is_left() -> None:
    for scene in scenes():
        whole, part = frame_labels(scene, frames_of(scene)), frame_labels(scene, 10)
        assert np.array_equal(part["source"], whole["source"][:10])


def test_stacking_pads_with_what_is_ignored() -> None:
    (scene,) = scenes("silence", count=1)
    table = stacked([frame_labels(scene, 2), frame_labels(scene, 4)], "source", width=5)
    assert table.tolist() == [[0, 0, *[IGNORED] * 3], [0, 0, 0, 0, IGNORED]]


def trained(pool: Pool, work: Path) -> AudioEncoder:
    encoder = tiny_model().audio_encoder
    work.mkdir()
    train_encoder(encoder, ENCODER_WIDTH, pool, OPTIMISER, batch_size=3, seed=1, work=work)
    return encoder


def test_the_encoder_learns_what_it_hears_the_same_way_each_time(pool: Pool, tmp_path: Path) -> None:
    before = tiny_model().audio_encoder
    one, two = trained(pool, tmp_path / "one"), trained(pool, tmp_path / "two")
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one.parameters(), before.parameters(), strict=True))
    assert not one.training


def test_the_loss_of_listening_falls(pool: Pool) -> None:
    torch.manual_seed(0)
    listener = Listener(tiny_model().audio_encoder, ENCODER_WIDTH)
    optimizer, losses = torch.optim.Adam(listener.parameters(), lr=5e-3), []
    for _ in range(15):
        loss = listening_loss(listener, pool, [0, 1, 2, 3])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
