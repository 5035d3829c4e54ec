"""Each descriptor measures signals of exactly known truth, clean and in noise, and abstains where there is none."""

import json
import time

import numpy as np
import pytest

from model.acoustics.descriptors import Descriptors, describe
from model.acoustics.errors import AudioError, DescriptorError
from tests.unit.acoustics import signals


@pytest.mark.parametrize("snr_db", [60, 20, 10])
@pytest.mark.parametrize(("start_hz", "end_hz"), [(100, 160), (180, 110), (220, 330), (440, 300), (700, 950)])
def test_f0_is_within_three_percent_on_nearly_every_voiced_frame(start_hz, end_hz, snr_db):
    found = describe(signals.noisy(signals.glide(start_hz, end_hz, seconds=2), snr_db=snr_db))
    true_hz_T = np.geomspace(start_hz, end_hz, 2 * signals.RATE_HZ)[::160]
    voiced = [(hz, true) for hz, true in zip(found.pitch.values_T, true_hz_T, strict=True) if hz is not None]
    assert len(voiced) > 0.9 * len(true_hz_T)
    assert np.mean([abs(hz / true - 1) < 0.03 for hz, true in voiced]) >= 0.97


@pytest.mark.parametrize(
    ("samples_N", "direction"),
    [
        (signals.glide(100, 160), "rises"),
        (signals.glide(160, 100), "falls"),
        (signals.glide(130, 131), "level"),
        (signals.melody([0, 4, 7, 12]), "rises"),
        (signals.melody([12, 7, 3, 0]), "falls"),
        (signals.melody([0, 4, 7, 4, 0]), "level"),
    ],
    ids=["voice rises", "voice falls", "voice level", "melody rises", "melody falls", "melody level"],
)
def test_pitch_direction(samples_N, direction):
    assert describe(samples_N)["pitch_direction"].value == direction


def test_a_change_between_level_and_clear_is_left_open():
    found = describe(signals.glide(130, 130 * 2 ** (2 / 12)))["pitch_direction"]
    assert found.abstained
    assert found.value is None
    assert "semitones" in found.reason


@pytest.mark.parametrize(("hz", "register"), [(95, "low"), (130, "low"), (210, "high"), (300, "high"), (165, None)])
def test_register(hz, register):
    assert describe(signals.glide(hz, hz * 1.02))["register"].value == register


@pytest.mark.parametrize(("change_db", "direction"), [(12, "louder"), (-12, "softer"), (0, "even")])
@pytest.mark.parametrize("make", [lambda: signals.melody([0, 3, 7, 3, 0, 7]), lambda: signals.melody([12, 7, 4, 0])])
def test_loudness_direction_of_music(make, change_db, direction):
    assert describe(signals.ramped(make(), change_db=change_db))["loudness_direction"].value == direction


@pytest.mark.parametrize(("change_db", "direction"), [(14, "louder"), (-14, "softer")])
def test_loudness_direction_of_a_voice(change_db, direction):
    samples_N = signals.ramped(signals.syllables(6, rate_hz=4), change_db=change_db)
    assert describe(samples_N)["loudness_direction"].value == direction


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("snr_db", [60, 25, 15])
def test_sounds_are_counted_over_their_background(count, snr_db):
    levels_db = [0.0, -10.0, -3.0, 0.0, -8.0][:count]
    found = describe(signals.noisy(signals.bursts(levels_db), snr_db=snr_db))
    assert found["event_count"].value == count


def test_loudness_of_single_sounds():
    first, second, third = describe(signals.bursts([0, -10, 0])).sounds
    assert second.loudness_db - first.loudness_db == pytest.approx(-10, abs=1.5)
    assert third.loudness_db == pytest.approx(first.loudness_db, abs=1.0)
    assert (second.start_s, second.end_s) == pytest.approx((0.8, 1.0), abs=0.05)


@pytest.mark.parametrize("steps", [[0, 4, 7], [0, 3, 7, 3], [12, 7, 4, 0, 4], [0, 4, 7, 12, 7, 4]])
def test_notes_are_counted_with_their_pitches(steps):
    found = describe(signals.melody(steps))
    assert found["note_count"].value == len(steps)
    heights = [12 * np.log2(note.pitch_hz / 261.63) for note in found.notes]
    assert heights == pytest.approx(steps, abs=0.3)


@pytest.mark.parametrize(("beat_s", "rate"), [(0.3, "fast"), (0.667, "slow")])
def test_rate_and_tempo_of_a_melody(beat_s, rate):
    found = describe(signals.melody([0, 4, 7, 4, 0, 7], beat_s=beat_s))
    assert found["rate"].value == rate
    assert found["tempo"].value == pytest.approx(60 / beat_s, rel=0.04)


@pytest.mark.parametrize("bpm", [80, 100, 120, 150])
def test_tempo_of_a_long_clip_up_to_a_factor_of_two(bpm):
    clip_N = signals.melody([0, 0, 7, 0] * 6, beat_s=60 / bpm)
    found = describe(clip_N)["tempo"].value
    assert min(abs(found * factor / bpm - 1) for factor in (0.5, 1, 2)) < 0.04


@pytest.mark.parametrize(("rate_hz", "rate"), [(2.5, "slow"), (6.0, "fast")])
def test_rate_of_speech(rate_hz, rate):
    assert describe(signals.syllables(6, rate_hz=rate_hz))["rate"].value == rate


@pytest.mark.parametrize("tonic", [0, 2, 5, 9])
@pytest.mark.parametrize(("steps", "mode"), [([0, 4, 7, 4, 0], "major"), ([0, 3, 7, 3, 0], "minor")])
def test_mode(tonic, steps, mode):
    assert describe(signals.melody([tonic + step for step in steps]))["mode"].value == mode


def test_mode_abstains_for_speech():
    assert describe(signals.syllables(6, rate_hz=4))["mode"].abstained


def test_brightness():
    dull = signals.voice(np.full(16_000, 150.0), tilt=2.5)
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
    assert describe(dull)["brightness"].value == "dark"
    assert describe(noise)["brightness"].value == "bright"


def test_silence_is_nothing_over_a_steady_background():
    noise_N = 1e-3 * np.random.default_rng(2).standard_normal(32_000).astype(np.float32)
    assert describe(np.zeros(32_000, np.float32))["silence"].value == "silent"
    assert describe(noise_N)["silence"].value == "silent"
    assert describe(signals.bursts([0, 0]))["silence"].value == "sound"


def test_clipping_and_harmonicity():
    loud = np.clip(signals.glide(150, 160) * 30, -1, 1)
    assert describe(loud)["clipping"].value > 0.3
    clean = signals.glide(150, 160)
    assert describe(clean)["clipping"].value == 0
    assert describe(clean)["harmonicity"].value > describe(signals.noisy(clean, snr_db=10))["harmonicity"].value + 5


def test_every_abstention_says_why_and_has_no_value():
    for samples_N in (np.zeros(8_000, np.float32), signals.bursts([0, 0]), signals.glide(160, 165)):
        for descriptor in describe(samples_N).measured.values():
            assert descriptor.abstained == (descriptor.value is None)
            assert bool(descriptor.reason) == descriptor.abstained
            assert 0 <= descriptor.confidence <= 1
            assert 0 <= descriptor.span_s[0] <= descriptor.span_s[1]


@pytest.mark.parametrize("size", [1, 2, 100, 159, 161, 400, 1_000, 3_000])
def test_clips_of_any_length_are_measured(size):
    for samples_N in (np.zeros(size, np.float32), signals.glide(200, 300)[:size]):
        assert describe(samples_N).duration_s == pytest.approx(size / 16_000, abs=1e-3)


@pytest.mark.parametrize(
    ("samples_N", "reason"),
    [
        (np.zeros(0, np.float32), "EMPTY_AUDIO"),
        (np.zeros((2, 9), np.float32), "NOT_MONO"),
        (np.full(900, np.nan, np.float32), "NOT_FINITE"),
    ],
)
def test_unusable_samples_are_refused(samples_N, reason):
    with pytest.raises(AudioError) as refused:
        describe(samples_N)
    assert refused.value.reason == reason


def test_descriptors_travel_as_json():
    found = describe(signals.melody([0, 4, 7]))
    assert Descriptors.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_descriptors_of_another_version_or_shape_are_refused():
    stored = describe(signals.melody([0, 4, 7])).to_dict()
    for damaged, reason in (
        (stored | {"version": "descriptors/0"}, "WRONG_VERSION"),
        (stored | {"sounds": [{}]}, "MALFORMED"),
    ):
        with pytest.raises(DescriptorError) as refused:
            Descriptors.from_dict(damaged)
        assert refused.value.reason == reason


def test_thirty_seconds_are_measured_in_well_under_a_second():
    clip_N = np.tile(signals.melody([0, 4, 7, 4]), 30)[: 30 * signals.RATE_HZ]
    describe(clip_N)
    start = time.process_time()
    describe(clip_N)
    assert time.process_time() - start < 0.8  # about 0.1 s on one quiet core; the goal of 0.35 s is the benchmark's
