"""The engine: one batch that steps, and requests that join and leave it at any step.

A group's sound is encoded once and its prompt prefilled once; keys and values are then shared by
its rows. Every step takes one token for every running row through the network's own forward
pass. One thread steps it; `EngineThread` makes it safe for many.

Shapes: B running rows, R rows that join, N prompts, P longest prompt, V vocabulary.
"""

from collections import deque
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerFast

from model.engine.admission import check_request, thinks
from model.engine.errors import EngineError
from model.engine.kv_cache import KVCache
from model.engine.params import Request, SamplingParams
from model.engine.results import FinishReason, Group
from model.engine.rows import Row, Vocabulary
from model.engine.sampling import SamplingPlan, choose
from model.engine.stream import RequestHandle
from model.network.attention import RememberedSequences
from model.network.audio_lm import AudioLanguageModel
from model.network.packed import packed_products
from model.network.template import END_THINK, EOT, THINK, encode_plain, token_id

_PREFILL_TOKENS = 8192
"""Prompts are prefilled together up to so many padded tokens, so that running rows do not wait long."""


class Job:
    """A request and its rows."""

    def __init__(self, request: Request, rows: list[Row], *, handle: RequestHandle | None) -> None:
        self.request, self.rows, self.handle = request, rows, handle
        self.running = len(rows)

    @property
    def cancelled(self) -> bool:
        return self.handle is not None and self.handle.cancelled


class Engine:
    """Generates for a model whose weights may change between steps."""

    def __init__(
        self,
        model: AudioLanguageModel,
        tokenizer: PreTrainedTokenizerFast,
        *,
        max_batch_rows: int = 64,
        max_tokens: int | None = None,
    ) -> None:
        """`max_tokens` bounds prompt and reply of one row together; the model's positions bound it anyway."""
        positions = model.config.text.max_position_embeddings
        self.model, self.tokenizer = model, tokenizer
        self.max_batch_rows = max_batch_rows
        self.max_tokens = min(positions, max_tokens or positions)
        self.vocabulary = vocabulary_of(tokenizer, size=model.config.text.vocab_size)
        self._waiting: deque[Job] = deque()
        self._reset()

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self._waiting or self._rows)

    @property
    def waiting(self) -> int:
        """Requests that have no slot yet."""
        return len(self._waiting)

    @property
    def running_rows(self) -> int:
        return len(self._rows)

    def generate(self, requests: Sequence[Request], params: SamplingParams, *, n: int = 1) -> list[Group]:
        """Block until every request has its `n` completions; for callers that own the engine."""
        jobs = [self._job(request, params, n=n, handle=None) for request in requests]
        self._waiting.extend(jobs)
        try:
            with packed_products():
                while any(job.running for job in jobs):
                    self.step()
        except Exception as error:
            self.abort(error)
            raise
        return [self._group(job) for job in jobs]

    def submit(self, request: Request, params: SamplingParams, *, stepped_elsewhere: bool = False) -> RequestHandle:
        """Queue a request and read its tokens as they come; reading steps the engine unless somebody else does."""
        pump = None if stepped_elsewhere else self.step
        handle = RequestHandle(self.tokenizer.backend_tokenizer, pump=pump)
        self._waiting.append(self._job(request, params, n=1, handle=handle))
        return handle

    @torch.inference_mode()
    def step(self) -> bool:
        """Let rows leave and join, then take one token for every running row; false when nothing is left to do."""
        self._drop_cancelled()
        self._admit()
        if self._rows:
            self._decode()
        return self.busy

    def abort(self, error: BaseException) -> None:
        """End every request with an error and forget the batch."""
        jobs = {id(job): job for job in (*self._waiting, *self._job_of.values())}
        self._waiting.clear()
        self._reset()
        for job in jobs.values():
            if job.handle is not None:
                job.handle.end(error)

    def _reset(self) -> None:
        weight = self.model.language_model.lm_head.weight
        self._cache = KVCache(self.model.config.text, device=weight.device, dtype=weight.dtype)
        self._rows: list[Row] = []
        self._job_of: dict[Row, Job] = {}
        self._next_B = torch.zeros(0, dtype=torch.long, device=weight.device)
        self._sayable_V = torch.ones(len(weight), device=weight.device)
        self._sayable_V[list(self.vocabulary.prompt_only)] = 0.0
        self._plan: SamplingPlan | None = None

    def _job(self, request: Request, params: SamplingParams, *, n: int, handle: RequestHandle | None) -> Job:
        check_request(request, self.model.config, max_tokens=self.max_tokens)
        if not 1 <= n <= self.max_batch_rows:
            raise EngineError("BAD_PARAMETER", f"n is {n}: it must be between 1 and {self.max_batch_rows}")
        thinking = thinks(request, self.vocabulary)
        room = self.max_tokens - len(request.prompt_ids)
        sink = handle.take if handle is not None else None
        asked = crc32(np.asarray(request.prompt_ids, dtype=np.int32).tobytes())
        rows = [
            Row(params, self.vocabulary, stream=f"{asked}/{index}", thinking=thinking, room=room, sink=sink)
            for index in range(n)
        ]
        return Job(request, rows, handle=handle)

    def _drop_cancelled(self) -> None:
        for job in [job for job in tuple(self._waiting) if job.cancelled]:
            self._waiting.remove(job)
            for row in job.rows:
                row.finish_reason = FinishReason.CANCELLED
                self._left(row, job)
        cancelled = [row for row, job in self._job_of.items() if job.cancelled]
        for row in cancelled:
            row.finish_reason = FinishReason.CANCELLED
        if cancelled:
            self._retire()

    def _admit(self) -> None:
        jobs = self._joining()
        if not jobs:
            return
        logits_RV = self._prefilled(jobs)
        rows = [row for job in jobs for row in job.rows]
        self._rows += rows
        self._job_of |= {row: job for job in jobs for row in job.rows}
        plan = SamplingPlan.of([row.params for row in rows], device=logits_RV.device)
        self._plan = None
        self._next_B = torch.cat([self._next_B, self._advanced(rows, logits_RV, plan)])
        self._retire()

    def _joining(self) -> list[Job]:
        jobs: list[Job] = []
        free, longest = self.max_batch_rows - len(self._rows), 0
        while self._waiting and len(self._waiting[0].rows) <= free:
            job = self._waiting[0]
            longest = max(longest, len(job.request.prompt_ids))
            if jobs and longest * (len(jobs) + 1) > _PREFILL_TOKENS:
                break
            jobs.append(self._waiting.popleft())
            free -= len(job.rows)
        return jobs

    def _prefilled(self, jobs: Sequence[Job]) -> Tensor:
        """Logits after each prompt, one row for every row of its job; keys and values are in the cache."""
        device, memory = self._next_B.device, RememberedSequences()
        prompts = [torch.tensor(job.request.prompt_ids, device=device) for job in jobs]
        hidden_NPD = self.model.forward_hidden(
            pad_sequence(prompts, batch_first=True, padding_value=self.vocabulary.end_of_turn),
            frames=[clip for job in jobs for clip in self._frames(job.request)],
            memory=memory,
        )
        lengths = [len(prompt) for prompt in prompts]
        copies = [len(job.rows) for job in jobs]
        self._cache.add(memory, lengths=lengths, copies=copies)
        last_ND = hidden_NPD[torch.arange(len(jobs), device=device), torch.tensor(lengths, device=device) - 1]
        return self.model.language_model.logits(last_ND).repeat_interleave(torch.tensor(copies, device=device), dim=0)

    def _frames(self, request: Request) -> Sequence[Tensor]:
        if not request.mels:
            return request.frames
        return self.model.encode_audio([torch.from_numpy(mel_TM) for mel_TM in request.mels])

    def _decode(self) -> None:
        language_model = self.model.language_model
        if self._plan is None:
            self._plan = SamplingPlan.of([row.params for row in self._rows], device=self._next_B.device)
        positions_B1 = self._cache.next_positions()
        embeds_B1D = language_model.embed(self._next_B[:, None])
        hidden_B1D = language_model(embeds_B1D, positions_BL=positions_B1, memory=self._cache)
        self._next_B = self._advanced(self._rows, language_model.logits(hidden_B1D[:, 0]), self._plan)
        self._retire()

    def _advanced(self, rows: Sequence[Row], logits_RV: Tensor, plan: SamplingPlan) -> Tensor:
        """Choose a token for each row and tell the row; the tokens, on the device."""
        uniforms_R = torch.tensor([row.uniform() for row in rows], device=logits_RV.device, dtype=torch.float)
        banned = [(index, token) for index, row in enumerate(rows) for token in row.banned()]
        choice = choose(logits_RV, plan, uniforms_B=uniforms_R, sayable_V=self._sayable_V, banned=banned)
        tokens_R = choice.tokens_B
        for index, row in enumerate(rows):
            if (token := row.forced()) is not None:
                tokens_R[index] = token
        for row, token, logprob in zip(rows, tokens_R.tolist(), choice.logprobs_of(tokens_R).tolist(), strict=True):
            row.take(token, logprob)
        return tokens_R

    def _retire(self) -> None:
        """Let finished rows leave."""
        leaving = [row for row in self._rows if row.finish_reason is not None]
        if not leaving:
            return
        staying = [index for index, row in enumerate(self._rows) if row.finish_reason is None]
        self._cache.keep(staying)
        self._rows = [self._rows[index] for index in staying]
        self._next_B = self._next_B[torch.tensor(staying, dtype=torch.long, device=self._next_B.device)]
        self._plan = None
        for row in leaving:
            self._left(row, self._job_of.pop(row))

    def _left(self, row: Row, job: Job) -> None:
        job.running -= 1
        if job.handle is not None:
            job.handle.end(row.completion(text=self._text(row)))

    def _group(self, job: Job) -> Group:
        completions = tuple(row.completion(text=self._text(row)) for row in job.rows)
        return Group(tuple(job.request.prompt_ids), completions)

    def _text(self, row: Row) -> str:
        return str(self.tokenizer.backend_tokenizer.decode(row.spoken_ids(), skip_special_tokens=False))


def vocabulary_of(tokenizer: PreTrainedTokenizerFast, *, size: int) -> Vocabulary:
    end_of_turn, end_think = token_id(tokenizer, EOT), token_id(tokenizer, END_THINK)
    special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    return Vocabulary(
        end_of_turn=end_of_turn,
        think=token_id(tokenizer, THINK),
        end_think=end_think,
        newline=encode_plain(tokenizer, "\n")[-1],
        prompt_only=(*sorted(special - {end_of_turn, end_think}), *range(len(tokenizer), size)),
    )
