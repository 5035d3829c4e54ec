"""A live conversation: turns of audio and a question in, replies out, one at a time, interruptible.

A turn is opened, filled with audio and ended; its reply then streams while the next messages are read.
An interrupt stops the running reply, which ends with what was written until then. A turn knows nothing
of the turns before it. A caller who says nothing for long while nothing is being answered is hung up on.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Any

from mgrd.inference.v1 import inference_pb2 as wire
from services.inference.gateway.question import AUDIO_BYTES_MAX, Question
from services.inference.gateway.replies import Cancellation, ReplyEvent
from services.inference.gateway.translate import question_from, response_of
from services.inference.triton.errors import CANCELLED, TritonError
from services.kit.errors import DeadlineExceeded, FailedPrecondition, InvalidArgument

Answer = Callable[[Question, Cancellation], Iterator[ReplyEvent]]

_END = object()


@dataclass
class _Turn:
    request: wire.ReasonRequest
    audio: bytearray | None
    """None until bytes come."""


class Conversation:
    """One ReasonLive stream; `read` runs on a thread of its own, `replies` on the caller's."""

    def __init__(self, messages: Iterator[wire.ReasonLiveRequest], *, answer: Answer, idle_timeout_s: float) -> None:
        self._messages, self._answer = messages, answer
        self._idle_timeout_s, self._active_s = idle_timeout_s, time.monotonic()
        self._questions: Queue[Any] = Queue(maxsize=4)
        self._running: Cancellation | None = None
        self._turn: _Turn | None = None
        self._gone = threading.Event()

    def replies(self) -> Iterator[wire.ReasonLiveResponse]:
        """The events of every turn's reply, in order."""
        threading.Thread(target=self._read, name="live", daemon=True).start()
        number = 0
        while (question := self._next_question()) is not _END:
            if isinstance(question, Exception):
                raise question
            number += 1
            self._running = Cancellation()
            try:
                for event in self._answer(question, self._running):
                    yield wire.ReasonLiveResponse(turn=number, reply=response_of(event))
            except TritonError as error:
                if error.reason != CANCELLED or self._gone.is_set():
                    raise
                yield wire.ReasonLiveResponse(turn=number, reply=_INTERRUPTED)
            self._active_s = time.monotonic()

    def hang_up(self) -> None:
        """The caller is gone: stops the running reply and the waiting for questions."""
        self._gone.set()
        if self._running is not None:
            self._running.pull()

    def _next_question(self) -> Any:
        """The next question; DeadlineExceeded where the caller has been silent for too long."""
        while (left_s := self._active_s + self._idle_timeout_s - time.monotonic()) > 0:
            try:
                return self._questions.get(timeout=left_s)
            except Empty:
                continue  # there may have been a message that was no question
        raise DeadlineExceeded(
            f"nothing was said for {self._idle_timeout_s:g} s; open a new conversation for the next turn",
            reason="LIVE_IDLE",
        )

    def _read(self) -> None:
        try:
            for message in self._messages:
                self._active_s = time.monotonic()
                self._take(message)
        except Exception as error:  # noqa: BLE001 - handed to the thread that answers, which ends the stream with it
            self._offer(error)
        else:
            self._offer(_END)

    def _take(self, message: wire.ReasonLiveRequest) -> None:
        kind = message.WhichOneof("event")
        if kind == "turn":
            heard = message.turn.HasField("audio")
            self._turn = _Turn(message.turn, bytearray(message.turn.audio) if heard else None)
        elif kind == "interrupt":
            if self._running is not None:
                self._running.pull()
        elif self._turn is None:
            raise FailedPrecondition(f"{kind or 'an empty message'} came before a turn; open one", reason="NO_TURN")
        elif kind == "audio":
            self._hear(self._turn, message.audio)
        elif kind == "end_of_turn":
            heard = self._turn.audio
            self._offer(question_from(self._turn.request, audio=None if heard is None else bytes(heard)))
            self._turn = None

    def _offer(self, item: object) -> None:
        """Hands something over; waits while four questions wait already, unless the caller is gone."""
        while True:
            try:
                return self._questions.put(item, timeout=0.5)
            except Full:
                if self._gone.is_set():
                    return None

    def _hear(self, turn: _Turn, audio: bytes) -> None:
        clip = bytearray() if turn.audio is None else turn.audio
        if len(clip) + len(audio) > AUDIO_BYTES_MAX:
            raise InvalidArgument(
                f"the turn's clip is longer than {AUDIO_BYTES_MAX} bytes; end the turn sooner",
                field="audio",
                reason="AUDIO_TOO_LARGE",
            )
        turn.audio = clip + audio


_INTERRUPTED = wire.ReasonResponse(completion=wire.Completion(finish_reason="cancelled"))
