"""How an RPC becomes a transaction: reads on one snapshot, writes once per request id, both with a fresh context.

Promises that a write's effect, its audit record, its event and its stored answer are one transaction, run again where
the database lost a race.
"""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from mgrd.store.port import ContentStore
from services.kit.auth import Caller, current_caller
from services.kit.database import Database
from services.kit.idempotency import idempotent
from services.kit.tables import now
from services.registry.adapters.locks import one_writer_at_a_time
from services.registry.usecases.context import Context

Result = TypeVar("Result")
Response = TypeVar("Response", bound=Message)


class Transactions:
    """Runs use cases for the present caller, or for whom `caller` says; None is the system itself."""

    def __init__(
        self, database: Database, store: ContentStore, *, caller: Callable[[], Caller | None] = current_caller
    ) -> None:
        self._database = database
        self._store = store
        self._caller = caller

    @property
    def store(self) -> ContentStore:
        """The content store of every context."""
        return self._store

    def read(self, act: Callable[[Context], Result]) -> Result:
        """Runs `act` on one snapshot; nothing it does is kept."""
        with self._database.unit_of_work(self._caller(), read_only=True) as work:
            return act(Context(work, self._store, now()))

    def write(self, act: Callable[[Context], Result]) -> Result:
        """Runs `act` in a transaction and commits it; for what is naturally repeatable."""

        def transaction() -> Result:
            with self._database.unit_of_work(self._caller()) as work:
                one_writer_at_a_time(work.session)
                result = act(Context(work, self._store, now()))
                work.commit()
                return result

        return self._database.retrying(transaction)

    def write_once(self, method: str, request: Message, act: Callable[[Context], Response]) -> Response:
        """Runs `act` in a transaction, once for the request's `request_id`; a repetition gets the first answer."""
        return self.write(
            lambda ctx: idempotent(
                ctx.work,
                request_id=request.request_id,
                method=method,
                request=request,
                make=lambda: act(ctx),
            )
        )
