"""The proof that a version works: a real question about a real (built-in) clip, through Triton.

The clip is two tones, made here and run through the platform's own front end, whose version must be the
one the checkpoint was trained with. What the model answers is not judged: an untrained model may be
served. That it hears the clip, reasons or not, writes at least one token and ends, is.
"""

import time
from functools import cache
from typing import Protocol

from services.inference.triton import errors
from services.inference.triton.client import Reply
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import Ask, End, MelFrames

CLIP_S = 1.0
QUESTION = "does the pitch rise or fall ?"
CHOICES = ("rise", "fall")


class Asker(Protocol):
    """The Triton client's question."""

    def ask(self, model: str, *, ask: Ask, mel: MelFrames, timeout_s: float) -> Reply: ...


class ClipProver:
    """Proves versions with the built-in clip."""

    def __init__(self, triton: Asker) -> None:
        self._triton = triton

    def prove(self, model: str, *, front_end_version: str, timeout_s: float) -> None:
        """A whole reply with reasoning, and one without; TritonError where either fails."""
        own = _own_front_end_version()
        if front_end_version != own:
            raise TritonError(
                f"the checkpoint was trained with front end {front_end_version!r}, this release has {own!r}; "
                "serve it with the release that trained it, or train it anew",
                reason="FRONT_END_MISMATCH",
            )
        for think in (True, False):
            ask = Ask(QUESTION, choices=CHOICES, think=think, max_new_tokens=48, max_think_tokens=32, temperature=0.0)
            self._whole_reply(model, ask, timeout_s=timeout_s)

    def probe(self, model: str, *, timeout_s: float) -> None:
        """One token about the clip."""
        ask = Ask(QUESTION, think=False, max_new_tokens=1, temperature=0.0)
        self._whole_reply(model, ask, timeout_s=timeout_s)

    def _whole_reply(self, model: str, ask: Ask, *, timeout_s: float) -> End:
        deadline_s = time.monotonic() + timeout_s
        end: End | None = None
        for event in self._triton.ask(model, ask=ask, mel=clip_frames(), timeout_s=timeout_s):
            end = event.end or end
            if time.monotonic() > deadline_s:
                raise TritonError("the reply did not end in time", reason=errors.TIMEOUT)
        if end is None:
            raise TritonError("the reply stopped without an end", reason=errors.INTERNAL)
        return end


@cache
def clip_frames() -> MelFrames:
    """Log-mel frames of the built-in clip: a low tone, then a higher one."""
    import numpy as np

    from model.acoustics.frontend import RATE_HZ, log_mel

    seconds_N = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    hertz_N = np.where(seconds_N < CLIP_S / 2, 220.0, 330.0)
    samples_N = (0.3 * np.sin(2 * np.pi * hertz_N * seconds_N)).astype(np.float32)
    mel_TF = np.ascontiguousarray(log_mel(samples_N), dtype="<f4")
    return MelFrames(values=mel_TF.tobytes(), chunk_frames=(len(mel_TF),))


@cache
def _own_front_end_version() -> str:
    from model.acoustics.frontend import FRONT_END_VERSION

    return FRONT_END_VERSION
