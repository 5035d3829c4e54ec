"""What every engine that a Triton model hosts must do: the torch engine, and stock vLLM (`make test-vllm`).

The reference is the plainest there is: the network's whole forward pass for each token.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model.acoustics.frontend import FRONT_END_VERSION
from model.base.train import nano_tokenizer
from model.engine.engine import vocabulary_of
from model.engine.errors import EngineError
from model.engine.results import Completion, FinishReason
from model.learning.rewards import MIN_REASONING_TOKENS
from model.network.audio_lm import AudioLanguageModel
from model.network.checkpoint import load_checkpoint, save_checkpoint
from model.network.config import AudioLanguageModelConfig
from model.network.template import AUDIO_PATCH, token_id
from services.inference.triton import errors
from services.inference.triton.backend.engines import HostedEngine, open_engine, request_of
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import Ask

pytestmark = pytest.mark.timeout(600)
QUESTION = "how does the speaker feel ?"
Mels = Sequence[NDArray[np.float32]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights; heads of 64, which vLLM's kernels know (nano's have 40)."""
    tokenizer = nano_tokenizer()
    torch.manual_seed(0)
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 160,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
    }
    config = AudioLanguageModelConfig(
        audio_config={"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
        text_config=text,
        adaptor_hidden_size=32,
        audio_patch_token_id=token_id(tokenizer, AUDIO_PATCH),
        initializer_range=0.3,
    )
    folder = tmp_path_factory.mktemp("engine") / "checkpoint"
    return save_checkpoint(folder, AudioLanguageModel(config), tokenizer, front_end_version=FRONT_END_VERSION)


@pytest.fixture(scope="module", params=["torch", pytest.param("vllm", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, checkpoint: Path) -> Iterator[HostedEngine]:
    if request.param == "vllm":
        pytest.importorskip("vllm", reason="vLLM has an environment of its own: `make test-vllm`")
    found = open_engine(request.param, weights=checkpoint, device="cpu")
    yield found
    found.close()


def clips(*frames: int) -> Mels:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((count, 128)).astype(np.float32) for count in frames]


def reply(engine: HostedEngine, ask: Ask, mels: Mels = ()) -> Completion:
    return engine.start(ask, mels).completion


@torch.inference_mode()
def reference(checkpoint: Path, ask: Ask, mels: Mels, *, tokens: int) -> tuple[list[int], list[float]]:
    """The likeliest tokens a reply may have, one forward pass each, with the model's log-probabilities."""
    loaded = load_checkpoint(checkpoint)
    words = vocabulary_of(loaded.tokenizer, size=loaded.config.text.vocab_size)
    ids = list(request_of(ask, mels, tokenizer=loaded.tokenizer).prompt_ids)
    frames = loaded.model.encode_audio([torch.from_numpy(mel) for mel in mels])
    said: list[int] = []
    logprobs: list[float] = []
    while len(said) < tokens:
        told_V = loaded.model(torch.tensor([ids + said]), frames=frames)[0, -1].log_softmax(-1)
        allowed_V = told_V.clone()
        allowed_V[list(words.prompt_only)] = -torch.inf
        if ask.think and words.end_think not in said and len(said) < MIN_REASONING_TOKENS:
            allowed_V[[words.end_think, words.end_of_turn]] = -torch.inf
        said.append(int(allowed_V.argmax()))
        logprobs.append(float(told_V[said[-1]]))
        if said[-1] == words.end_of_turn:
            break
    return said, logprobs


@pytest.mark.parametrize("think", [True, False], ids=["thinking", "at once"])
@pytest.mark.parametrize("mels", [(), clips(400), clips(150, 333)], ids=["no sound", "a clip", "two clips"])
def test_the_likeliest_reply_is_the_plain_forward_pass_s(
    engine: HostedEngine, checkpoint: Path, mels: Mels, think: bool
) -> None:
    ask = Ask(QUESTION, think=think, temperature=0.0, max_new_tokens=16)
    found = reply(engine, Ask(QUESTION, think=think, temperature=0.0, max_new_tokens=16, max_think_tokens=16), mels)
    said, logprobs = reference(checkpoint, ask, mels, tokens=16)
    assert list(found.token_ids) == said
    assert found.logprobs == pytest.approx(logprobs, abs=1e-4)


def test_tokens_come_one_by_one_and_their_texts_join_to_the_whole(engine: HostedEngine) -> None:
    stream = engine.start(Ask(QUESTION, temperature=0.0, max_new_tokens=12), clips(200))
    tokens = list(stream)
    assert [token.index for token in tokens] == list(range(12))
    assert "".join(token.text_piece for token in tokens) == stream.completion.text
    assert stream.completion.finish_reason is FinishReason.LENGTH


def test_reasoning_ends_at_its_budget(engine: HostedEngine, checkpoint: Path) -> None:
    tokenizer = load_checkpoint(checkpoint).tokenizer
    words = vocabulary_of(tokenizer, size=len(tokenizer))
    found = reply(engine, Ask(QUESTION, max_new_tokens=20, max_think_tokens=9, seed=1), clips(200))
    assert words.end_think in found.token_ids[MIN_REASONING_TOKENS:10]
    if words.end_think not in found.token_ids[:9]:
        assert found.token_ids[9:11] == (words.end_think, words.newline)


def test_who_else_asks_changes_nothing(engine: HostedEngine) -> None:
    asks = [Ask(QUESTION, temperature=0.0, max_new_tokens=4 + count) for count in range(8)]
    alone = [reply(engine, ask, clips(200)).token_ids for ask in asks]
    streams = [engine.start(ask, clips(200)) for ask in asks]
    assert [stream.completion.token_ids for stream in streams] == alone


def test_a_seed_draws_the_same_again_and_another_differs(engine: HostedEngine) -> None:
    first, again, other = (
        reply(engine, Ask(QUESTION, temperature=1.0, max_new_tokens=16, seed=seed)).token_ids for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_a_cancelled_reply_ends_and_the_next_is_served(engine: HostedEngine) -> None:
    stream = engine.start(Ask(QUESTION, temperature=0.0, max_new_tokens=400), clips(200))
    next(stream)
    stream.cancel()
    assert stream.completion.finish_reason is FinishReason.CANCELLED
    assert len(stream.completion.token_ids) < 400
    assert len(reply(engine, Ask(QUESTION, temperature=0.0, max_new_tokens=3)).token_ids) == 3


@pytest.mark.parametrize(
    ("ask", "mels"),
    [
        (Ask(" ".join(["voice"] * 600)), ()),
        (Ask(QUESTION), [np.full((100, 128), np.nan, dtype=np.float32)]),
        (Ask(QUESTION, max_new_tokens=-1), ()),
    ],
    ids=["too long", "not finite", "no tokens"],
)
def test_what_cannot_be_served_is_refused_at_once(engine: HostedEngine, ask: Ask, mels: Mels) -> None:
    with pytest.raises(TritonError) as refused:
        engine.start(ask, mels)
    assert refused.value.reason == errors.REJECTED


def test_closing_ends_what_runs_with_an_error(checkpoint: Path) -> None:
    engine = open_engine("torch", weights=checkpoint, device="cpu")
    stream = engine.start(Ask(QUESTION, max_new_tokens=400), clips(200))
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        _ = stream.completion
