"""A nano model with random weights, and its tokenizer."""

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from model.network.audio_lm import AudioLanguageModel
from model.network.config import nano
from model.network.tokenizer import build_tokenizer

WORDS = ["the", "pitch", "rises", "voice", "is", "low", "high", "so", "answer", "cheerful", "sounds", ".", ",", "?"]


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(WORDS)


@pytest.fixture
def model(tokenizer: PreTrainedTokenizerFast) -> AudioLanguageModel:
    torch.manual_seed(0)
    return AudioLanguageModel(nano(vocab_size=len(tokenizer))).eval()
