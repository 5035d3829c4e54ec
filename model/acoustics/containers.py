"""What a sound file says about itself, read from its bytes alone: container, and signs that it is cut short.

Promises never to decode, allocate by a claimed size or raise anything but AudioError. It exists because the decoder
behind it forgives too much: it reads a truncated file without a word and refuses an impossible header without a
reason. Leaves decoding to `decoding`.
"""

import struct
from typing import Literal

from model.acoustics.errors import AudioError

Container = Literal["wav", "flac", "ogg", "mp3"]
MAX_CHANNELS = 32
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000
_ACCEPTED = "send WAV, FLAC, OGG (Vorbis or Opus) or MP3"
_STREAMED_SIZES = (0x7FFFFFFF, 0xFFFFFFFF)  # what writers that cannot seek leave in a WAV header
_OGG_LAST_PAGE = 0x04


def sniff(data: bytes) -> Container:
    """The container by its first bytes; raises AudioError UNSUPPORTED_FORMAT, TRUNCATED or one about the header."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        _check_wav(data)
        return "wav"
    if data[:4] == b"fLaC":
        _check_flac(data)
        return "flac"
    if data[:4] == b"OggS":
        _check_ogg(data)
        return "ogg"
    if data[:3] == b"ID3" or _is_mpeg_frame(data):
        return "mp3"
    if data[:4] in (b"RIFF", b"RIFX", b"RF64"):
        raise AudioError("UNSUPPORTED_FORMAT", f"a {data[:4].decode()} file that is not a plain WAVE; {_ACCEPTED}")
    raise AudioError("UNSUPPORTED_FORMAT", _what_it_is(data))


def check_shape(*, channels: int, rate_hz: int) -> None:
    """Refuses channel counts and rates no microphone gives: AudioError BAD_CHANNELS or BAD_SAMPLE_RATE."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError("BAD_CHANNELS", f"the file declares {channels} channels; send 1 to {MAX_CHANNELS}")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        accepted = f"send {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz"
        raise AudioError("BAD_SAMPLE_RATE", f"the file declares a sample rate of {rate_hz} Hz; {accepted}")


def _check_wav(data: bytes) -> None:
    """Walks the chunks: a sane `fmt ` before `data`, and as many bytes of sound as `data` declares."""
    position, described = 12, False
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if name == b"fmt ":
            described = True
            _check_wav_format(data[body : body + size])
        if name == b"data":
            _check_wav_data(size, present=len(data) - body, described=described)
            return
        position = body + size + size % 2
    raise AudioError("TRUNCATED", f"the WAV file of {len(data)} bytes ends before its sound; send the whole file")


def _check_wav_format(chunk: bytes) -> None:
    if len(chunk) < 16:
        raise AudioError("TRUNCATED", f"the WAV format header has {len(chunk)} of at least 16 bytes; send it whole")
    _, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", chunk)
    check_shape(channels=channels, rate_hz=rate_hz)
    if bits > 64 or frame_bytes == 0:
        declared = f"{bits} bits and {frame_bytes} bytes a frame"
        raise AudioError("BAD_ENCODING", f"the WAV header declares {declared}; re-encode it as 16-bit PCM")


def _check_wav_data(size: int, *, present: int, described: bool) -> None:
    if not described:
        raise AudioError("BAD_ENCODING", "the WAV file has sound before its format header; re-encode it")
    if present == 0 or size == 0:
        raise AudioError("EMPTY_AUDIO", "the WAV file holds a header and no sound; send a file with sound in it")
    if size > present and size not in _STREAMED_SIZES:
        raise AudioError("TRUNCATED", f"the WAV header declares {size} bytes of sound, {present} came; send it whole")


def _check_flac(data: bytes) -> None:
    if len(data) < 42:
        raise AudioError("TRUNCATED", f"a FLAC file of {len(data)} bytes ends inside its header; send the whole file")
    packed = int.from_bytes(data[18:26], "big")
    check_shape(channels=(packed >> 41 & 7) + 1, rate_hz=packed >> 44)


def _check_ogg(data: bytes) -> None:
    """The last page must say that it is the last, and be all there."""
    last = data.rfind(b"OggS")
    header = data[last : last + 27]
    segments = data[last + 27 : last + 27 + header[26]] if len(header) == 27 else b""
    whole = len(header) == 27 and len(segments) == header[26]
    if not whole or len(data) < last + 27 + len(segments) + sum(segments) or not header[5] & _OGG_LAST_PAGE:
        raise AudioError("TRUNCATED", f"the OGG file of {len(data)} bytes ends before its last page; send it whole")


def _is_mpeg_frame(data: bytes) -> bool:
    """An MPEG audio frame header: 11 sync bits, then version, layer, bit rate and rate that are not reserved."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer, bit_rate, rate = data[1] >> 3 & 3, data[1] >> 1 & 3, data[2] >> 4, data[2] >> 2 & 3
    return version != 1 and layer != 0 and bit_rate != 15 and rate != 3


def _what_it_is(data: bytes) -> str:
    start = data[:64].lstrip().lower()
    if start.startswith((b"http://", b"https://", b"file:", b"s3://", b"data:")):
        return f"an address came where the bytes of a file are expected; fetch it yourself and {_ACCEPTED}"
    if data[4:8] == b"ftyp" or data[:4] == b"\x1aE\xdf\xa3":
        return f"MP4 and WebM are not read; {_ACCEPTED}"
    return f"the bytes are not a known sound file (they start with {data[:8]!r}); {_ACCEPTED}"
