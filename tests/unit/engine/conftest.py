"""A tiny model with random weights, and prompts for it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from model.engine.engine import Engine
from model.engine.params import Request
from model.network.audio_lm import AudioLanguageModel
from model.network.config import nano
from model.network.lengths import audio_token_count
from model.network.template import AUDIO, Message, prompt_ids
from model.network.tokenizer import build_tokenizer

WORDS = ["the", "pitch", "rises", "falls", "voice", "is", "low", "high", "answer", ".", "?"]


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(WORDS)


@pytest.fixture(scope="session")
def model(tokenizer: PreTrainedTokenizerFast) -> AudioLanguageModel:
    torch.manual_seed(0)
    return AudioLanguageModel(nano(vocab_size=len(tokenizer))).eval()


@pytest.fixture
def engine(model: AudioLanguageModel, tokenizer: PreTrainedTokenizerFast) -> Engine:
    return Engine(model, tokenizer, max_batch_rows=8)


@pytest.fixture
def ask(tokenizer: PreTrainedTokenizerFast) -> Callable[..., Request]:
    """A request of a question and, unless `mel_frames` is 0, a clip of noise."""

    def make(text: str = "is the voice low ?", *, mel_frames: int = 60, think: bool = True) -> Request:
        noise = np.random.default_rng(mel_frames).standard_normal((mel_frames, 128)).astype(np.float32)
        clips = [noise] if mel_frames else []
        parts = (AUDIO, text) if clips else (text,)
        counts = [audio_token_count(len(clip)) for clip in clips]
        return Request(prompt_ids(tokenizer, [Message("human", parts)], counts, think=think), mels=clips)

    return make
