"""Whether a request can be served, checked before it can disturb those that are running."""

import numpy as np
from numpy.typing import NDArray

from model.engine.errors import EngineError
from model.engine.params import Request
from model.engine.rows import Vocabulary
from model.network.config import AudioLanguageModelConfig
from model.network.lengths import MAX_CHUNK_MEL_FRAMES, adaptor_token_count, audio_token_count


def check_request(request: Request, config: AudioLanguageModelConfig, *, max_tokens: int) -> None:
    """Raise EngineError with reason and remedy, or return."""
    _check_prompt(request, vocab_size=config.text.vocab_size, max_tokens=max_tokens)
    for mel_TM in request.mels:
        _check_mel(mel_TM, bands=config.audio.num_mel_bins)
    places = sum(token == config.audio_patch_token_id for token in request.prompt_ids)
    sound = sum(audio_token_count(len(mel_TM)) for mel_TM in request.mels)
    sound += sum(adaptor_token_count(len(clip)) for clip in request.frames)
    if places != sound:
        raise EngineError(
            "AUDIO_MISMATCH",
            f"the prompt has {places} <audio_patch> places, its sound needs {sound}: "
            "build prompt and sound from the same clips",
        )


def thinks(request: Request, vocabulary: Vocabulary) -> bool:
    """Whether the prompt ends inside reasoning."""
    for token in reversed(request.prompt_ids):
        if token in (vocabulary.think, vocabulary.end_think):
            return token == vocabulary.think
    return False


def _check_prompt(request: Request, *, vocab_size: int, max_tokens: int) -> None:
    if len(request.prompt_ids) >= max_tokens:
        raise EngineError(
            "PROMPT_TOO_LONG",
            f"the prompt has {len(request.prompt_ids)} tokens, with the reply it may have {max_tokens}: shorten it",
        )
    if not 0 <= min(request.prompt_ids) <= max(request.prompt_ids) < vocab_size:
        raise EngineError("UNKNOWN_TOKEN", f"prompt_ids must lie between 0 and {vocab_size - 1}: use this tokenizer")


def _check_mel(mel_TM: NDArray[np.float32], *, bands: int) -> None:
    if mel_TM.ndim != 2 or mel_TM.shape[1] != bands or not 0 < mel_TM.shape[0] <= MAX_CHUNK_MEL_FRAMES:
        raise EngineError(
            "BAD_MEL",
            f"a mel has shape {mel_TM.shape}; it must be (frames, {bands}) with 1 to {MAX_CHUNK_MEL_FRAMES} frames: "
            "cut sound into chunks of 25 s",
        )
    if not np.isfinite(mel_TM).all():
        raise EngineError("BAD_MEL", "a mel has NaN or infinite values: compute it with the front end")
