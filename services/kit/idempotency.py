"""Idempotent requests (AIP-155): the same request id and body gives the same answer, and the effect once.

Promises this across restarts and between racing retries, since the answer is stored in the effect's transaction.
The scope is caller and method: nobody sees another's answer by guessing an id.
"""

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from sqlalchemy import Row, delete, insert, select

from services.kit.database import UnitOfWork
from services.kit.errors import InvalidArgument, shown
from services.kit.tables import KIT, now

Response = TypeVar("Response", bound=Message)

KEPT_FOR = timedelta(days=7)


def idempotent(
    work: UnitOfWork, *, request_id: str, method: str, request: Message, make: Callable[[], Response]
) -> Response:
    """The stored response of this request, or the one `make` gives now, stored beside its effect.

    The caller commits. InvalidArgument where the id is no UUID or came before with another body.
    """
    check_request_id(request_id)
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
    stored = _stored(work, method, request_id)
    if stored is not None:
        return cast(Response, _same(stored, digest, request_id))
    response = make()
    _store(work, method, request_id, digest, response)
    return response


def check_request_id(request_id: str) -> None:
    """InvalidArgument where the id is no UUID."""
    try:
        uuid.UUID(request_id)
    except ValueError:
        raise InvalidArgument(
            f"request_id is {shown(request_id)}; send a new UUID, and the same one when you retry", field="request_id"
        ) from None


def forget_old_requests(work: UnitOfWork) -> int:
    """Deletes answers older than a week; returns how many."""
    old = KIT.requests.c.create_time < now() - KEPT_FOR
    gone = work.session.execute(delete(KIT.requests).where(old).returning(KIT.requests.c.request_id))
    return len(gone.all())


def _stored(work: UnitOfWork, method: str, request_id: str) -> Row[Any, Any, Any] | None:
    columns = KIT.requests.c
    return work.session.execute(
        select(columns.request_sha256, columns.response_type, columns.response).where(
            columns.caller == work.caller.subject,
            columns.method == method,
            columns.request_id == str(uuid.UUID(request_id)),
        )
    ).one_or_none()


def _same(stored: Row[Any, Any, Any], digest: str, request_id: str) -> Message:
    if stored.request_sha256 != digest:
        raise InvalidArgument(
            f"request_id {request_id} came before with another body; use a new UUID for a new request",
            field="request_id",
            reason="REQUEST_ID_REUSED",
        )
    descriptor = descriptor_pool.Default().FindMessageTypeByName(stored.response_type)
    response: Message = message_factory.GetMessageClass(descriptor).FromString(stored.response)
    return response


def _store(work: UnitOfWork, method: str, request_id: str, digest: str, response: Message) -> None:
    work.session.execute(
        insert(KIT.requests).values(
            caller=work.caller.subject,
            method=method,
            request_id=str(uuid.UUID(request_id)),
            request_sha256=digest,
            response_type=response.DESCRIPTOR.full_name,
            response=response.SerializeToString(),
            create_time=now(),
        )
    )
