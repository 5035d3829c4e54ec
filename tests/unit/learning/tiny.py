"""A network small enough to train in a test, its tokenizer, and examples whose sound is noise."""

from functools import cache

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from model.learning.examples import Example
from model.learning.rewards import Response
from model.learning.rollouts import Rollout, TokenSequence
from model.network.audio_lm import AudioLanguageModel
from model.network.config import AudioLanguageModelConfig, nano
from model.network.lengths import adaptor_token_count
from model.network.template import AUDIO_PATCH, token_id
from model.network.tokenizer import build_tokenizer

ENCODER_WIDTH = 32
WORDS = (
    "answer the question first say what you hear pitch rises falls stays level voice is low high it gets louder "
    "softer so cheerful sad how does speaker sound choose from , . : ? then"
)


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(list(dict.fromkeys(WORDS.split())))


def tiny_model(*, seed: int = 0, tokenizer: PreTrainedTokenizerFast | None = None) -> AudioLanguageModel:
    """Two layers of width 32, in evaluation mode."""
    tokenizer = tokenizer or tiny_tokenizer()
    torch.manual_seed(seed)
    config = tiny_config(vocab_size=len(tokenizer), audio_patch_token_id=token_id(tokenizer, AUDIO_PATCH))
    return AudioLanguageModel(config).eval()


def tiny_config(*, vocab_size: int, audio_patch_token_id: int) -> AudioLanguageModelConfig:
    """Like `nano`, a hundredth of its size."""
    text = nano(vocab_size=vocab_size).text_config.to_dict()
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }
    return AudioLanguageModelConfig(
        audio_config={"hidden_size": ENCODER_WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2},
        text_config={**text, **sizes, "layer_types": None},
        adaptor_hidden_size=32,
        audio_patch_token_id=audio_patch_token_id,
        initializer_range=0.1,
    )


def frames(count: int, *, seed: int = 0) -> Tensor:
    """Encoder frames `frames_FE` of noise."""
    return torch.randn(count, ENCODER_WIDTH, generator=torch.Generator().manual_seed(seed))


def example(
    answer: str = "cheerful",
    *,
    question: str = "how does the speaker sound ?",
    reasoning: str = "",
    sound: tuple[int, ...] = (9,),
    seed: int = 0,
    **fields: object,
) -> Example:
    """A question; `sound` holds the encoder frames of each chunk of its clip."""
    audio = tuple(frames(count, seed=seed + place) for place, count in enumerate(sound))
    counts = tuple(adaptor_token_count(len(chunk)) for chunk in audio)
    return Example("e", question, answer, reasoning=reasoning, audio=audio, audio_tokens=counts, **fields)


def rollout(
    answer: str = "cheerful",
    *,
    reasoning: str = "the pitch rises . so the answer is cheerful .",
    of: Example | None = None,
    tokens: int = 12,
    closed: bool = True,
    finished: bool = True,
    reward: float = 0.0,
) -> Rollout:
    """A response as if it had been sampled."""
    return Rollout(
        example=of or example(),
        row=TokenSequence((1, 2), (3, 4)),
        logprobs=(-1.0, -1.0),
        reasoning=reasoning,
        response=Response(answer=answer, reasoning_tokens=tokens, closed=closed),
        reward=reward,
        finished=finished,
    )
