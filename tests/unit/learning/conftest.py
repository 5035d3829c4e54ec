"""Fixtures of the learning tests."""

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from model.network.audio_lm import AudioLanguageModel
from tests.unit.learning.tiny import tiny_model, tiny_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny_tokenizer()


@pytest.fixture
def model() -> AudioLanguageModel:
    return tiny_model()
