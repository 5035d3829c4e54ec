"""The front end gives Whisper's numbers, its own number of frames, and chunks without an empty tail."""

import numpy as np
import pytest

from model.acoustics.errors import AudioError
from model.acoustics.frontend import FRONT_END_VERSION, RATE_HZ, chunks, log_mel


def glide(seconds: float, *, noise: float = 0.01, seed: int = 0) -> np.ndarray:
    """A gliding tone with harmonics over noise, so that every band holds something."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (120 * time + 20 * time**2)
    tone = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.1
    return (tone + noise * np.random.default_rng(seed).standard_normal(time.size)).astype(np.float32)


@pytest.fixture(scope="module")
def whisper():
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=128)


def assert_equals_whisper(whisper, samples: np.ndarray) -> None:
    """Within 1e-5 of the extractor's float64 numbers, or as near as its own float32 path comes, whichever is wider."""
    padded = np.pad(samples.astype(np.float64), (0, whisper.n_samples - samples.size))
    exact_TF = whisper._np_extract_fbank_features(padded[None], "cpu")[0].T
    single_TF = whisper(samples, sampling_rate=RATE_HZ, return_tensors="np")["input_features"][0].T
    ours_TF = log_mel(samples)
    frames = len(ours_TF)
    assert ours_TF.dtype == np.float32
    assert ours_TF.shape == ((samples.size + 479) // 160, 128)
    tolerance = max(1e-5, float(np.abs(single_TF - exact_TF)[:frames].max()))
    np.testing.assert_allclose(ours_TF, exact_TF[:frames], atol=tolerance, rtol=0)


@pytest.mark.parametrize("size", [1, 159, 160, 161, 400, 7_777, 16_000, 5 * RATE_HZ + 1, 25 * RATE_HZ])
def test_equals_whisper_on_the_frames_both_define(whisper, size):
    assert_equals_whisper(whisper, glide(25)[:size])


def test_equals_whisper_on_white_noise_and_on_silence(whisper):
    assert_equals_whisper(whisper, np.random.default_rng(1).standard_normal(48_000).astype(np.float32))
    assert_equals_whisper(whisper, np.zeros(48_000, np.float32))


def test_scale_moves_the_values_and_not_their_shape():
    samples = glide(1.0)
    shift_TF = log_mel(samples * 0.1) - log_mel(samples)
    np.testing.assert_allclose(shift_TF, -0.5, atol=1e-4)  # 20 dB are two decades of power, a quarter each


@pytest.mark.parametrize(
    ("seconds", "expected"), [(25, [25]), (50, [25, 25]), (26, [25, 1]), (3, [3]), (75.5, [25, 25, 25, 0.5])]
)
def test_chunks_hold_everything_and_no_empty_tail(seconds, expected):
    samples = np.arange(int(seconds * RATE_HZ), dtype=np.float32)
    pieces = chunks(samples)
    assert [piece.size / RATE_HZ for piece in pieces] == expected
    np.testing.assert_array_equal(np.concatenate(pieces), samples)


def test_a_tail_too_short_for_a_token_is_padded_and_kept():
    samples = np.ones(25 * RATE_HZ + 3, np.float32)
    tail = chunks(samples)[-1]
    assert tail.size == 400
    assert tail.sum() == 3
    assert chunks(np.zeros(0, np.float32)) == []


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(0, np.float32), "EMPTY_AUDIO"),
        (np.zeros((2, 100), np.float32), "NOT_MONO"),
        (np.full(1000, np.nan, np.float32), "NOT_FINITE"),
        (np.full(1000, np.inf, np.float32), "NOT_FINITE"),
    ],
)
def test_unusable_samples_are_refused_with_a_reason(samples, reason):
    with pytest.raises(AudioError) as refused:
        log_mel(samples)
    assert refused.value.reason == reason


def test_the_version_names_every_setting():
    assert FRONT_END_VERSION == "logmel-16k-400-160-128-c25/1"
