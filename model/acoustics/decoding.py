"""Bytes of a sound file from anyone to 16 kHz samples, first channel.

Promises, for any bytes at all: a Sound, or an AudioError with a stable reason; memory in proportion to the accepted
duration and never to what a header claims, since it reads, checks and resamples block by block.
Leaves limits on time and processes to the service that calls it, and chunks to `frontend`.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr

from model.acoustics.containers import check_shape, sniff
from model.acoustics.errors import AudioError
from model.acoustics.frontend import RATE_HZ, FloatArray

MAX_SIZE_BYTES = 128 * 2**20
MAX_DURATION_S = 600.0
MIN_DURATION_S = 0.02
MAX_LEVEL = 64.0  # floats far beyond full scale are integers misread, and would overflow a power spectrum
_BLOCK_VALUES = 1 << 18


@dataclass(frozen=True, eq=False)
class Sound:
    """A decoded clip: mono samples_N at `rate_hz`, and what the file was before."""

    samples_N: FloatArray
    rate_hz: int
    source_rate_hz: int
    duration_s: float
    format: str


def decode(
    data: bytes,
    *,
    max_duration_s: float = MAX_DURATION_S,
    min_duration_s: float = MIN_DURATION_S,
    max_size_bytes: int = MAX_SIZE_BYTES,
) -> Sound:
    """Decodes WAV, FLAC, OGG (Vorbis, Opus) or MP3, keeps the first channel and resamples it to 16 kHz.

    Raises AudioError: NOT_BYTES, EMPTY_AUDIO, TOO_LARGE, TOO_LONG, TOO_SHORT, UNSUPPORTED_FORMAT, BAD_ENCODING,
    BAD_CHANNELS, BAD_SAMPLE_RATE, TRUNCATED, NOT_FINITE, LEVEL_OUT_OF_RANGE.
    """
    container = sniff(_checked_bytes(data, max_size_bytes=max_size_bytes))
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            check_shape(channels=file.channels, rate_hz=file.samplerate)
            samples_N, read = _resampled(file, max_duration_s=max_duration_s)
            declared, rate_hz, subtype = file.frames, file.samplerate, file.subtype
    except (soundfile.SoundFileError, OverflowError, MemoryError) as error:
        cause = getattr(error, "error_string", error)  # the whole text holds an address of memory
        raise AudioError("BAD_ENCODING", f"the {container} file is damaged or cut short ({cause})") from error
    if container == "flac" and read < declared:
        raise AudioError("TRUNCATED", f"the FLAC file declares {declared} samples and holds {read}; send it whole")
    _check_length(read / rate_hz, min_duration_s=min_duration_s)
    return Sound(
        samples_N=samples_N,
        rate_hz=RATE_HZ,
        source_rate_hz=rate_hz,
        duration_s=samples_N.size / RATE_HZ,
        format="opus" if subtype == "OPUS" else container,
    )


def _checked_bytes(data: bytes, *, max_size_bytes: int) -> bytes:
    if not isinstance(data, (bytes, bytearray)):
        kind = type(data).__name__
        raise AudioError("NOT_BYTES", f"sound came as {kind}; pass the bytes of a file, not its path or address")
    if not data:
        raise AudioError("EMPTY_AUDIO", "the sound file has 0 bytes; send a file with sound in it")
    if len(data) > max_size_bytes:
        raise AudioError("TOO_LARGE", f"the sound file has {len(data)} bytes; the limit is {max_size_bytes}")
    return bytes(data)


def _check_length(duration_s: float, *, min_duration_s: float) -> None:
    if duration_s == 0:
        raise AudioError("EMPTY_AUDIO", "the sound file holds no samples; send a file with sound in it")
    if duration_s < min_duration_s:
        raise AudioError("TOO_SHORT", f"the sound lasts {duration_s:.6f} s; send at least {min_duration_s} s")


def _resampled(file: soundfile.SoundFile, *, max_duration_s: float) -> tuple[FloatArray, int]:
    """The first channel at 16 kHz, and the number of source samples read."""
    limit = int(max_duration_s * file.samplerate)
    _check_limit(_plausible(file.frames), limit=limit, rate_hz=file.samplerate)
    resampler = soxr.ResampleStream(file.samplerate, RATE_HZ, 1, dtype="float32", quality="HQ")
    pieces, read = [], 0
    for block_N in _blocks(file):
        read += block_N.size
        _check_limit(read, limit=limit, rate_hz=file.samplerate)
        pieces.append(block_N if file.samplerate == RATE_HZ else resampler.resample_chunk(block_N))
    if file.samplerate != RATE_HZ:
        pieces.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32), read


def _plausible(frames: int) -> int:
    """The declared length, unless it is the decoder's mark for unknown."""
    return frames if 0 <= frames < 2**62 else 0


def _check_limit(samples: int, *, limit: int, rate_hz: int) -> None:
    if samples > limit:
        lasts = f"the sound lasts {samples / rate_hz:.1f} s or more"
        raise AudioError("TOO_LONG", f"{lasts}; the limit is {limit / rate_hz:g} s: cut it")


def _blocks(file: soundfile.SoundFile) -> Iterator[FloatArray]:
    frames = max(1, _BLOCK_VALUES // file.channels)
    while True:
        block_NC = file.read(frames, dtype="float32", always_2d=True)
        if len(block_NC) == 0:
            return
        yield _checked_block(np.ascontiguousarray(block_NC[:, 0]))


def _checked_block(block_N: FloatArray) -> FloatArray:
    loudest = float(np.abs(block_N).max())
    if not np.isfinite(loudest):
        raise AudioError("NOT_FINITE", "the sound holds NaN or infinite samples; repair or re-encode it")
    if loudest > MAX_LEVEL:
        raise AudioError("LEVEL_OUT_OF_RANGE", f"a sample has the value {loudest:g}; scale the sound to [-1, 1]")
    return block_N
