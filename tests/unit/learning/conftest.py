"""Fixtures of the learning tests."""

import pytest
from transformers import PreTrainedTokenizerFast

from model.network.audio_lm import AudioLanguageModel
from tests.unit.learning.cores import one_core
from tests.unit.learning.tiny import tiny_model, tiny_tokenizer

__all__ = ["one_core"]


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny_tokenizer()


@pytest.fixture
def model() -> AudioLanguageModel:
    return tiny_model()
