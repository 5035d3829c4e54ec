"""Any bytes become a Sound or an AudioError with a reason; good files of every format keep their sound."""

import io
import pickle
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from model.acoustics.decoding import decode
from model.acoustics.errors import AudioError

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(seconds: float = 0.5, *, rate_hz: int = 16_000, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def encoded(samples: np.ndarray, *, rate_hz: int = 16_000, kind: str = "wav", subtype: str | None = None) -> bytes:
    container, usual = FORMATS[kind]
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate_hz, format=container, subtype=subtype or usual)
    return buffer.getvalue()


def wav_header(
    *, channels: int = 1, rate_hz: int = 16_000, bits: int = 16, code: int = 1, declared: int = 3200
) -> bytes:
    frame = max(1, channels * bits // 8)
    body = struct.pack("<HHIIHH", code, channels, rate_hz, min(rate_hz * frame, 2**32 - 1), frame % 2**16, bits)
    riff = struct.pack("<4sI4s", b"RIFF", min(36 + declared, 2**32 - 1), b"WAVE")
    return riff + struct.pack("<4sI", b"fmt ", 16) + body + struct.pack("<4sI", b"data", declared)


def reason_of(data: object, **limits: float) -> str:
    with pytest.raises(AudioError) as refused:
        decode(data, **limits)
    assert len(str(refused.value)) > 20
    return refused.value.reason


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000, 8_000])
def test_every_format_and_rate_keeps_duration_and_pitch(kind, rate_hz):
    if kind == "opus" and rate_hz == 44_100:
        rate_hz = 24_000  # Opus has no 44.1 kHz
    sound = decode(encoded(tone(1.0, rate_hz=rate_hz), rate_hz=rate_hz, kind=kind))
    assert (sound.rate_hz, sound.format) == (16_000, kind)
    assert sound.duration_s == pytest.approx(1.0, abs=0.08)
    loudest_hz = np.argmax(np.abs(np.fft.rfft(sound.samples_N[:16_000], 16_000)))
    assert loudest_hz == pytest.approx(440, abs=2)
    assert np.abs(sound.samples_N[4000:12_000]).max() == pytest.approx(0.5, abs=0.05)


def test_the_first_channel_is_kept():
    stereo = np.stack([tone(hz=440), tone(hz=3000)], axis=1)
    sound = decode(encoded(stereo))
    np.testing.assert_allclose(sound.samples_N, tone(hz=440), atol=1e-4)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM"])
def test_ordinary_wav_encodings_are_read(subtype):
    sound = decode(encoded(tone(), subtype=subtype))
    assert np.abs(sound.samples_N[1_000:8_000] - tone()[1_000:]).max() < 0.05  # ADPCM needs a moment to adapt


@pytest.mark.parametrize("declared", [0x7FFFFFFF, 0xFFFFFFFF])
def test_a_streamed_wav_without_its_length_is_read(declared):
    pcm = (tone() * 32767).astype("<i2").tobytes()
    assert decode(wav_header(declared=declared) + pcm).duration_s == pytest.approx(0.5)


PCM = (tone() * 32767).astype("<i2").tobytes()
HOSTILE = {
    "empty": (b"", "EMPTY_AUDIO"),
    "header only": (wav_header(declared=0), "EMPTY_AUDIO"),
    "cut inside the header": (wav_header()[:30], "TRUNCATED"),
    "size that lies": (wav_header(declared=10**6) + PCM[:3200], "TRUNCATED"),
    "no channels": (wav_header(channels=0) + PCM, "BAD_CHANNELS"),
    "65,535 channels": (wav_header(channels=65_535) + PCM, "BAD_CHANNELS"),
    "rate 0": (wav_header(rate_hz=0) + PCM, "BAD_SAMPLE_RATE"),
    "rate 2^31": (wav_header(rate_hz=2**31) + PCM, "BAD_SAMPLE_RATE"),
    "4,000 bits": (wav_header(bits=4000) + PCM, "BAD_ENCODING"),
    "unknown codec": (wav_header(code=0x4242) + PCM, "BAD_ENCODING"),
    "text named .wav": (b"these are words, not sound\n" * 40, "UNSUPPORTED_FORMAT"),
    "an address": (b"https://example.org/a.wav", "UNSUPPORTED_FORMAT"),
    "one sample": (wav_header(declared=2) + PCM[:2], "TOO_SHORT"),
    "NaN": (encoded(np.array([0, np.nan] * 4000, np.float32), subtype="FLOAT"), "NOT_FINITE"),
    "infinite": (encoded(np.array([0, np.inf] * 4000, np.float32), subtype="FLOAT"), "NOT_FINITE"),
    "huge values": (encoded(np.array([0, 1e30] * 4000, np.float32), subtype="FLOAT"), "LEVEL_OUT_OF_RANGE"),
    "flac cut in half": (encoded(tone(3), kind="flac")[:9000], "BAD_ENCODING"),
    "ogg cut in half": (encoded(tone(3), kind="ogg")[:6000], "TRUNCATED"),
    "opus cut in half": (encoded(tone(3), kind="opus")[:6000], "TRUNCATED"),
    "mp4": (b"\0\0\0\x20ftypisom" + b"\0" * 100, "UNSUPPORTED_FORMAT"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_with_their_reason(case):
    data, reason = HOSTILE[case]
    assert reason_of(data) == reason


@pytest.mark.parametrize("value", ["clip.wav", "https://example.org/a.wav", None, 7])
def test_what_is_not_bytes_is_refused(value):
    assert reason_of(value) == "NOT_BYTES"


@pytest.mark.parametrize("bits", [7, 12, 20])
def test_odd_bit_depths_are_read_or_refused_but_never_crash(bits):
    outcome = attempt(wav_header(bits=bits, declared=3200) + PCM[:3200])
    assert outcome in ("ok", "BAD_ENCODING", "LEVEL_OUT_OF_RANGE")


def test_ten_hours_and_compressed_bombs_are_refused_before_they_are_decoded():
    assert reason_of(wav_header(declared=0xFFFFFFFF, rate_hz=8000) + bytes(10**6), max_duration_s=30) == "TOO_LONG"
    bomb = encoded(np.zeros(16_000 * 700, np.float32), kind="flac")
    assert len(bomb) < 200_000
    assert reason_of(bomb) == "TOO_LONG"
    lying = bytearray(bomb)  # the same, its header claiming one second
    lying[21:26] = bytes([lying[21] & 0xF0]) + (16_000).to_bytes(4, "big")
    assert attempt(bytes(lying)) in ("TOO_LONG", "BAD_ENCODING", "ok")
    assert decoded_s(bytes(lying)) <= 600


def test_limits_are_the_callers():
    assert reason_of(encoded(tone(2.0)), max_duration_s=1.0) == "TOO_LONG"
    assert reason_of(encoded(tone(2.0)), max_size_bytes=1000) == "TOO_LARGE"
    assert reason_of(encoded(tone(0.2)), min_duration_s=0.5) == "TOO_SHORT"


def test_an_error_keeps_its_reason_between_processes():
    error = pickle.loads(pickle.dumps(AudioError("TOO_LONG", "the sound lasts too long")))
    assert (error.reason, str(error)) == ("TOO_LONG", "the sound lasts too long")


def attempt(data: bytes) -> str:
    """'ok' or the reason; any other exception is the failure a property looks for."""
    try:
        sound = decode(data, max_duration_s=30 if len(data) < 10**5 else 600)
    except AudioError as error:
        return error.reason
    assert np.isfinite(sound.samples_N).all()
    return "ok"


def decoded_s(data: bytes) -> float:
    try:
        return decode(data).duration_s
    except AudioError:
        return 0.0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_crash(data):
    attempt(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_of_every_format_never_crash(kind):
    whole = encoded(tone(0.4), kind=kind)
    rng = np.random.default_rng(3)
    for _ in range(40):
        damaged = bytearray(whole)
        for position in rng.integers(0, len(whole), 8):
            damaged[position] = rng.integers(0, 256)
        attempt(bytes(damaged[: rng.integers(1, len(whole) + 1)]))
        head = bytearray(whole)
        head[rng.integers(0, 64)] = rng.integers(0, 256)
        attempt(bytes(head))


def test_no_message_gives_away_an_address_of_memory():
    with pytest.raises(AudioError) as caught:
        decode(b"\xff\xfb\x90\x00" + bytes(range(256)) * 40)
    assert caught.value.reason == "BAD_ENCODING"
    assert "0x" not in str(caught.value)
