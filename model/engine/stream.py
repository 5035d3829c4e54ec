"""The handle of a request whose tokens are read while they are chosen."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from model.engine.results import Completion, FinishReason, Token


class RequestHandle(Iterator[Token]):
    """An iterator of tokens, readable from any thread; after its end `completion` has the whole.

    With a `pump`, reading drives the engine (one thread); without, somebody else steps it.
    """

    def __init__(self, tokenizer: Tokenizer, *, pump: Callable[[], object] | None) -> None:
        self._tokenizer = tokenizer
        self._pump = pump
        self._events: SimpleQueue[Token | Completion | BaseException] = SimpleQueue()
        self._decoder = DecodeStream(skip_special_tokens=False)
        self._ids: list[int] = []
        self._text = ""
        self._ended: Completion | BaseException | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @property
    def completion(self) -> Completion:
        """The whole reply; waits for its end, passing over tokens not read yet."""
        for _token in self:
            pass
        if not isinstance(self._ended, Completion):
            raise self._ended or AssertionError("an iterator that ended has its end")
        return self._ended

    def cancel(self) -> None:
        """Free the slot within one decoding step; the completion so far is still delivered."""
        self._cancelled = True

    def __next__(self) -> Token:
        if self._ended is None:
            event = self._next_event()
            if isinstance(event, Token):
                return event
            self._ended = event
        if isinstance(self._ended, BaseException):
            raise self._ended
        raise StopIteration

    def take(self, token: int, logprob: float, finish_reason: FinishReason | None) -> None:
        """The engine's side: a token was chosen."""
        before, index = len(self._text), len(self._ids)
        self._ids.append(token)
        if finish_reason is None:
            self._text += self._decoder.step(self._tokenizer, token) or ""
        else:
            spoken = self._ids[:-1] if finish_reason is FinishReason.STOP else self._ids
            self._text = self._tokenizer.decode(spoken, skip_special_tokens=False)
        self._events.put(Token(token, logprob, self._text[before:], index))

    def end(self, how: Completion | BaseException) -> None:
        """The engine's side: nothing more will come."""
        self._events.put(how)

    def _next_event(self) -> Token | Completion | BaseException:
        if self._pump is None:
            return self._events.get()
        while True:
            try:
                return self._events.get_nowait()
            except Empty:
                self._pump()
