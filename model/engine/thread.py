"""The engine in a thread of its own, for callers in many threads."""

import logging
import threading

from model.engine.engine import Engine
from model.engine.errors import EngineError, EngineFull
from model.engine.params import Request, SamplingParams
from model.engine.stream import RequestHandle
from model.network.packed import packed_products

log = logging.getLogger(__name__)


class EngineThread:
    """Owns an engine: submit from any thread, read each handle from any thread, close once.

    The model's weights stand still while it lives.

    A step that fails ends the requests in flight with its error; later requests are served.
    """

    def __init__(self, engine: Engine, *, max_waiting: int = 256) -> None:
        self._engine = engine
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def running_rows(self) -> int:
        return self._engine.running_rows

    @property
    def waiting(self) -> int:
        return self._engine.waiting

    def submit(self, request: Request, params: SamplingParams) -> RequestHandle:
        """Queue a request. Raises EngineFull when too many wait, EngineError when it cannot be served."""
        with self._changed:
            if self._closed:
                raise EngineError("CLOSED", "the engine is closed: send the request to another")
            if self._engine.waiting >= self._max_waiting:
                raise EngineFull("ENGINE_FULL", f"{self._max_waiting} requests are waiting: try again later")
            handle = self._engine.submit(request, params, stepped_elsewhere=True)
            self._changed.notify()
            return handle

    def close(self) -> None:
        """Stop stepping and end what is left with an error."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        with packed_products():
            while self._wait_for_work():
                try:
                    self._engine.step()
                except Exception as error:
                    log.exception("a step failed; its requests end with the error")
                    self._engine.abort(error)
        self._engine.abort(EngineError("CLOSED", "the engine was closed before the reply was complete: send it again"))

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._engine.busy)
            return not self._closed
