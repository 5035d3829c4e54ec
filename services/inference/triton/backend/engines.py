"""The engines a Triton model can host, behind one port: our own torch engine, and stock vLLM.

The prompt is built here exactly as in training (`model.learning.prompts`), from the words and the clip
of one question.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from model.engine.engine import Engine
from model.engine.errors import EngineError, EngineFull
from model.engine.params import Request, SamplingParams
from model.engine.results import Completion, Token
from model.engine.rows import Vocabulary
from model.engine.thread import EngineThread
from model.learning.prompts import question_messages
from model.learning.rewards import MIN_REASONING_TOKENS
from model.network.checkpoint import load_checkpoint
from model.network.lengths import audio_token_count
from model.network.template import prompt_ids
from services.inference.triton import errors
from services.inference.triton.backend.reply import ReplySplitter
from services.inference.triton.errors import TritonError
from services.inference.triton.protocol import Ask

DEFAULT_NEW_TOKENS = 256
DEFAULT_TEMPERATURE = 0.7
ANSWER_TOKENS = 24
"""Tokens kept free for the answer, but at most half of all, where the caller sets no limit of thinking."""


class Stream(Iterator[Token], Protocol):
    """One reply under way."""

    @property
    def completion(self) -> Completion: ...

    def cancel(self) -> None: ...


class HostedEngine(Protocol):
    """What the host needs of an engine."""

    def start(self, ask: Ask, mels_TF: Sequence[NDArray[np.float32]]) -> Stream: ...

    def splitter(self, ask: Ask) -> ReplySplitter: ...

    def close(self) -> None: ...


class TorchEngine:
    """Our own engine in a thread of this process."""

    def __init__(self, weights: Path, *, device: str) -> None:
        torch.set_num_threads(int(os.environ.get("MGRD_BACKEND_THREADS", "1")))
        loaded = load_checkpoint(weights, device=device)
        self._tokenizer = loaded.tokenizer
        engine = Engine(
            loaded.model, loaded.tokenizer, max_batch_rows=int(os.environ.get("MGRD_BACKEND_MAX_ROWS", "32"))
        )
        self._vocabulary = engine.vocabulary
        self._thread = EngineThread(engine, max_waiting=64)

    def start(self, ask: Ask, mels_TF: Sequence[NDArray[np.float32]]) -> Stream:
        """Queues a question; TritonError ENGINE_FULL or REQUEST_REJECTED where it cannot be served."""
        try:
            return self._thread.submit(request_of(ask, mels_TF, tokenizer=self._tokenizer), sampling(ask))
        except EngineError as error:
            raise refusal(error) from error

    def splitter(self, ask: Ask) -> ReplySplitter:
        """What splits the reply to `ask` into its phases."""
        return splitter_of(ask, self._vocabulary)

    def close(self) -> None:
        """Ends what still runs."""
        self._thread.close()


def _vllm(weights: Path, *, device: str) -> HostedEngine:
    from services.inference.triton.backend.vllm_engine import VllmEngine

    return VllmEngine(weights, device=device)


ENGINES: Mapping[str, Callable[..., HostedEngine]] = {"torch": TorchEngine, "vllm": _vllm}


def open_engine(name: str, *, weights: Path, device: str) -> HostedEngine:
    """The engine of this name over a checkpoint folder; ValueError for a name that is none."""
    if name not in ENGINES:
        raise ValueError(f"engine {name!r} is not known; the engines are {sorted(ENGINES)}")
    return ENGINES[name](weights, device=device)


def request_of(ask: Ask, mels_TF: Sequence[NDArray[np.float32]], *, tokenizer: PreTrainedTokenizerFast) -> Request:
    """A question as an engine takes it."""
    messages = question_messages(ask.question, choices=ask.choices, audio_items=len(mels_TF))
    counts = [audio_token_count(len(mel_TF)) for mel_TF in mels_TF]
    return Request(prompt_ids=prompt_ids(tokenizer, messages, counts, think=ask.think), mels=mels_TF)


def splitter_of(ask: Ask, vocabulary: Vocabulary) -> ReplySplitter:
    """What splits the reply to `ask` into its phases."""
    return ReplySplitter(
        end_think_id=vocabulary.end_think, stop_ids=frozenset({vocabulary.end_of_turn}), think=ask.think
    )


def refusal(error: EngineError) -> TritonError:
    """An engine's refusal as the backend says it."""
    if isinstance(error, EngineFull):
        return TritonError(str(error), reason=errors.ENGINE_FULL)
    return TritonError(str(error), reason=errors.UNAVAILABLE if error.reason == "CLOSED" else errors.REJECTED)


def sampling(ask: Ask) -> SamplingParams:
    """A question's sampling, with the defaults of serving."""
    new_tokens = ask.max_new_tokens or DEFAULT_NEW_TOKENS
    think_tokens = ask.max_think_tokens or max(1, new_tokens - ANSWER_TOKENS, new_tokens // 2)
    return SamplingParams(
        max_new_tokens=new_tokens,
        temperature=DEFAULT_TEMPERATURE if ask.temperature is None else ask.temperature,
        top_p=1.0 if ask.top_p is None else ask.top_p,
        seed=ask.seed,
        min_think_tokens=min(MIN_REASONING_TOKENS, think_tokens),
        max_think_tokens=think_tokens,
    )
