"""The one place where errors become gRPC statuses: google.rpc.Status with ErrorInfo and its companions.

An error that is no ServiceError becomes INTERNAL with an id; its text goes to the log and nowhere else.
"""

import logging
import uuid
from collections.abc import Iterator

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from services.kit.errors import FailedPrecondition, InvalidArgument, ResourceExhausted, ServiceError, Unavailable

DOMAIN = "mgrd"
_log = logging.getLogger(__name__)


def status_of(error: ServiceError) -> Status:
    """The google.rpc.Status of an error: exactly one ErrorInfo, then what helps the caller to mend it."""
    status = Status(code=grpc.StatusCode[error.code].value[0], message=error.message)
    for detail in _details(error):
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def abort(context: grpc.ServicerContext, error: Exception) -> None:
    """Ends the call with the status of `error`; never returns normally."""
    if not isinstance(error, ServiceError):
        error = internal(error)
    context.abort_with_status(rpc_status.to_status(status_of(error)))


class _Internal(ServiceError):
    code = "INTERNAL"
    default_reason = "INTERNAL"


def internal(error: Exception) -> ServiceError:
    """An error that was not foreseen, as callers may see it; what it says goes to the log."""
    error_id = uuid.uuid4().hex
    _log.error("unexpected error", exc_info=error, extra={"error_id": error_id})
    return _Internal(
        f"internal error {error_id}; give this id to the operator, who finds it in the service's log",
        metadata={"error_id": error_id},
    )


def _details(error: ServiceError) -> Iterator[Message]:
    yield details.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    if isinstance(error, InvalidArgument):
        violation = details.BadRequest.FieldViolation(field=error.field, description=error.message, reason=error.reason)
        yield details.BadRequest(field_violations=[violation])
    if isinstance(error, FailedPrecondition) and error.violations:
        yield details.PreconditionFailure(
            violations=[
                details.PreconditionFailure.Violation(type=v.type, subject=v.subject, description=v.description)
                for v in error.violations
            ]
        )
    if isinstance(error, ResourceExhausted):
        quota = details.QuotaFailure.Violation(subject=error.reason, description=error.message)
        yield details.QuotaFailure(violations=[quota])
    if isinstance(error, ResourceExhausted | Unavailable):
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        yield details.RetryInfo(retry_delay=delay)
