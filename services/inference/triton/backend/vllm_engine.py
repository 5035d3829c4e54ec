"""Stock vLLM as the engine of a Triton model; our network is its plugin (`model.vllm_plugin`).

Promises the replies, bounds and refusals of the torch engine for the same question: the same prompt and the same rules
of reasoning. Log-probabilities are the model's at temperature 1, since vLLM tells no others of before the bans; the
torch engine's are those of the temperature used. vLLM's asyncio loop has a thread of its own; replies are read from any
thread. Needs an environment with vLLM (`make test-vllm` makes one), and heads of a size that its kernels know.
"""

import asyncio
import itertools
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.engine.admission import check_request, thinks
from model.engine.engine import vocabulary_of
from model.engine.errors import EngineError, EngineFull
from model.engine.params import Request, SamplingParams
from model.engine.results import Completion, FinishReason
from model.engine.stream import RequestHandle
from model.network.checkpoint import read_config, read_tokenizer
from services.inference.triton.backend.engines import refusal, request_of, sampling, splitter_of
from services.inference.triton.backend.reply import ReplySplitter
from services.inference.triton.protocol import Ask

_WAITING_MOST = 64
_CLIPS_MOST = 16
_PROCESSORS = ["model.vllm_plugin.thinking:ThinkBounds"]


class VllmEngine:
    """vLLM's asynchronous engine over a checkpoint folder."""

    def __init__(self, weights: Path, *, device: str) -> None:
        self._config = read_config(weights)
        self._tokenizer = read_tokenizer(weights, self._config)
        self._vocabulary = vocabulary_of(self._tokenizer, size=self._config.text.vocab_size)
        self._rows_most = int(os.environ.get("MGRD_BACKEND_MAX_ROWS", "32"))
        self._numbers, self._under_way, self._lock = itertools.count(), 0, threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm", daemon=True)
        self._thread.start()
        self._llm: Any = self._run(_opened(weights, rows=self._rows_most, device=device))

    def start(self, ask: Ask, mels_TF: Sequence[NDArray[np.float32]]) -> RequestHandle:
        """Queues a question; TritonError ENGINE_FULL or REQUEST_REJECTED where it cannot be served."""
        try:
            request, params = request_of(ask, mels_TF, tokenizer=self._tokenizer), sampling(ask)
            check_request(request, self._config, max_tokens=self._config.text.max_position_embeddings)
            self._take_place()
        except EngineError as error:
            raise refusal(error) from error
        handle = RequestHandle(self._tokenizer.backend_tokenizer, pump=None)
        asyncio.run_coroutine_threadsafe(self._answer(request, params, handle), self._loop)
        return handle

    def splitter(self, ask: Ask) -> ReplySplitter:
        """What splits the reply to `ask` into its phases."""
        return splitter_of(ask, self._vocabulary)

    def close(self) -> None:
        """Ends what still runs, with an error for its readers."""
        self._run(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _ended(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._llm.shutdown()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _take_place(self) -> None:
        with self._lock:
            if self._under_way >= self._rows_most + _WAITING_MOST:
                raise EngineFull("ENGINE_FULL", f"{_WAITING_MOST} requests are waiting: try again later")
            self._under_way += 1

    async def _answer(self, request: Request, params: SamplingParams, handle: RequestHandle) -> None:
        try:
            handle.end(await self._followed(request, params, handle))
        except asyncio.CancelledError:
            handle.end(EngineError("CLOSED", "the engine was closed before the reply was complete: send it again"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever ended it, the reader must hear of it
            handle.end(error)
        finally:
            with self._lock:
                self._under_way -= 1

    async def _followed(self, request: Request, params: SamplingParams, handle: RequestHandle) -> Completion:
        """Hands the tokens on as they come; the whole at the end, or as far as it came when it was cancelled."""
        ids: list[int] = []
        logprobs: list[float] = []
        reason = FinishReason.CANCELLED
        name = f"mgrd-{next(self._numbers)}"
        outputs = self._llm.generate(_prompt(request), self._params(request, params), name)
        async for output in outputs:
            if handle.cancelled:
                await self._llm.abort(name)
                break
            (piece,) = output.outputs
            reason = FinishReason(piece.finish_reason) if piece.finish_reason else reason
            for index, token in enumerate(piece.token_ids):
                ids.append(token)
                logprobs.append(piece.logprobs[index][token].logprob)
                is_last = piece.finish_reason is not None and index == len(piece.token_ids) - 1
                handle.take(token, logprobs[-1], reason if is_last else None)
        spoken = ids[:-1] if reason is FinishReason.STOP else ids
        text = str(self._tokenizer.backend_tokenizer.decode(spoken, skip_special_tokens=False))
        return Completion(tuple(ids), tuple(logprobs), reason, text)

    def _params(self, request: Request, params: SamplingParams) -> Any:
        from vllm import SamplingParams as VllmParams
        from vllm.sampling_params import RequestOutputKind

        from model.vllm_plugin.thinking import Bounds

        words = self._vocabulary
        ends = (words.end_of_turn, *params.stop_token_ids)
        bounds = Bounds(
            thinking=thinks(request, words),
            least=params.min_think_tokens,
            most=params.max_think_tokens,
            end_think=words.end_think,
            newline=words.newline,
            ends=ends,
            unsayable=words.prompt_only,
        )
        room = self._config.text.max_position_embeddings - len(request.prompt_ids)
        return VllmParams(
            max_tokens=min(params.max_new_tokens, room),
            temperature=params.temperature,
            top_k=params.top_k or -1,
            top_p=params.top_p,
            seed=params.seed,
            stop_token_ids=list(ends),
            ignore_eos=True,
            logprobs=0,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            extra_args=bounds.to_args(),
        )


def _prompt(request: Request) -> dict[str, Any]:
    """Token ids, and each clip's frames laid flat."""
    prompt: dict[str, Any] = {"prompt_token_ids": list(request.prompt_ids)}
    if request.mels:
        prompt["multi_modal_data"] = {"audio": [np.ascontiguousarray(mel_TM).reshape(-1) for mel_TM in request.mels]}
    return prompt


async def _opened(weights: Path, *, rows: int, device: str) -> Any:
    from vllm import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    from model.vllm_plugin import register

    register()
    on_cpu = device == "cpu"
    return AsyncLLM.from_engine_args(
        AsyncEngineArgs(
            model=str(weights),
            dtype="float32" if on_cpu else "auto",
            enforce_eager=on_cpu,
            max_num_seqs=rows,
            limit_mm_per_prompt={"audio": _CLIPS_MOST},
            logits_processors=_PROCESSORS,
            logprobs_mode="raw_logprobs",
            disable_log_stats=True,
        )
    )
