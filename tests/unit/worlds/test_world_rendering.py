"""Sound: reproducible, quick, and with the properties that the ground truth claims."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from model.worlds import RATE_HZ, Bank, Scene, Utterance, render, sample_scene, truth
from model.worlds.lexicon import MEAN_F0_HZ
from model.worlds.scenes import Room

Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def bank() -> Bank:
    return Bank.load()


def scenes(domain: str, count: int, seed: int = 0) -> list[Scene]:
    rng = np.random.default_rng(seed)
    return [sample_scene(rng, split="test", words_agree=1 / 3, domain=domain) for _ in range(count)]


def level_db(samples_N: Samples, start_s: float, length_s: float) -> float:
    piece = samples_N[round(start_s * RATE_HZ) : round((start_s + length_s) * RATE_HZ)]
    return float(10 * np.log10(np.mean(piece.astype(np.float64) ** 2) + 1e-12))


def f0_hz(samples_N: Samples) -> float:
    """Autocorrelation over one voiced piece."""
    piece = samples_N.astype(np.float64) - samples_N.mean()
    correlation = np.correlate(piece, piece, "full")[len(piece) - 1 :]
    low, high = RATE_HZ // 400, RATE_HZ // 60
    return RATE_HZ / (low + int(np.argmax(correlation[low:high])))


def test_rendering_is_reproducible_to_the_bit(bank: Bank) -> None:
    for domain in ("speech", "music", "events", "mixed", "silence"):
        for scene in scenes(domain, 5):
            first_N, second_N = render(scene, bank), render(scene, bank)
            assert first_N.dtype == np.float32
            assert len(first_N) == round(scene.duration_s * RATE_HZ)
            assert np.array_equal(first_N, second_N)
            assert np.abs(first_N).max() < 1


def test_rendering_leaves_the_bank_as_it_is(bank: Bank) -> None:
    scene = scenes("music", 1)[0]
    before = {part.clip: bank.pcm[part.clip].copy() for part in scene.parts}
    render(scene, bank)
    assert all(np.array_equal(pcm, bank.pcm[name]) for name, pcm in before.items())


def test_events_sound_where_and_as_loud_as_written(bank: Bank) -> None:
    for scene in scenes("events", 40):
        samples_N = render(scene, bank)
        levels = [level_db(samples_N, event.start_s, event.length_s) for event in scene.events()]
        relative = [event.gain_db for event in scene.events()]
        assert np.subtract(levels, levels[0]) == pytest.approx(np.subtract(relative, relative[0]), abs=3.0)
        after_s = scene.parts[0].start_s + scene.parts[0].length_s + 0.18
        assert level_db(samples_N, after_s, 0.05) < max(levels) - 15


def test_loudness_follows_the_trend(bank: Bank) -> None:
    right = []
    for scene in scenes("music", 60) + scenes("speech", 60):
        samples_N = render(scene, bank)
        first, last = scene.parts[0], scene.parts[-1]
        third_s = (last.start_s + last.length_s - first.start_s) / 3
        start = level_db(samples_N, first.start_s, third_s)
        end = level_db(samples_N, first.start_s + 2 * third_s, third_s)
        heard = "louder" if end - start > 5 else "softer" if end - start < -5 else "even"
        right.append(heard == truth(scene)["loudness"])
    assert np.mean(right) >= 0.9


def utterance(pitch: str, rate: str, voice: str) -> Scene:
    spoken = Utterance(2, voice, pitch, rate, 0.2)
    return Scene("", "speech", "train", 2.0, (spoken,), room=Room())


@pytest.mark.parametrize("voice", ["rms", "slt", "awb"])
def test_voices_move_as_written(bank: Bank, voice: str) -> None:
    for pitch, sign in (("rises", 1), ("falls", -1), ("level", 0)):
        scene = utterance(pitch, "slow", voice)
        samples_N = render(scene, bank)
        spoken = scene.utterances()[0]
        places_s = spoken.start_s + spoken.length_s * np.linspace(0.15, 0.85, 15)
        pieces = [samples_N[int(s * RATE_HZ) : int(s * RATE_HZ) + 800] for s in places_s]
        loud = [piece for piece in pieces if piece.std() > 0.03]
        heard = np.array([f0_hz(piece) for piece in loud])
        third = len(heard) // 3
        change = 12 * np.log2(np.median(heard[-third:]) / np.median(heard[:third]))
        assert change == pytest.approx(4 * sign, abs=2.5)
        assert np.median(heard) == pytest.approx(MEAN_F0_HZ[voice], rel=0.25)


def test_notes_sound_at_their_pitch(bank: Bank) -> None:
    for midi in (60, 67, 72):
        heard = f0_hz(bank.clip(f"note/flute/{midi}")[3000:5000])
        wanted = 440 * 2 ** ((midi - 69) / 12)
        assert min(abs(heard / wanted - 1), abs(2 * heard / wanted - 1)) < 0.05


def test_silence_is_at_most_quiet_noise(bank: Bank) -> None:
    for scene in scenes("silence", 10):
        assert level_db(render(scene, bank), 0, scene.duration_s) < -45


def test_noise_keeps_its_distance(bank: Bank) -> None:
    quiet = utterance("level", "slow", "rms")
    noisy = Scene(**{**vars(quiet), "room": Room(noise_db=30.0, noise_colour="pink")})
    noise_N = render(noisy, bank) - render(quiet, bank)
    assert level_db(noise_N, 0, 2.0) == pytest.approx(-53, abs=2)


def test_rendering_is_fifty_times_faster_than_real_time(bank: Bank) -> None:
    batch = scenes("speech", 40) + scenes("music", 40) + scenes("events", 40)
    begun = time.thread_time()
    for scene in batch:
        render(scene, bank)
    spent_s = time.thread_time() - begun
    assert sum(scene.duration_s for scene in batch) / spent_s > 50
