"""Small sound files for tests."""

import io
import math
import struct
import wave


def tone(*, duration_s: float = 1.5, start_hz: float = 180.0, end_hz: float = 320.0, rate_hz: int = 16_000) -> bytes:
    """A WAV file whose pitch glides from one frequency to another."""
    count = int(duration_s * rate_hz)
    phase, samples = 0.0, []
    for index in range(count):
        phase += 2 * math.pi * (start_hz + (end_hz - start_hz) * index / count) / rate_hz
        samples.append(int(12_000 * math.sin(phase)))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(struct.pack(f"<{count}h", *samples))
    return buffer.getvalue()
