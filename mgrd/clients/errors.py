"""Errors of remote calls: a gRPC status with its details, as one small family of exceptions.

Promises that every failed call raises a `CallError` with the service's reason, the field or violations it named and
the time to wait where it gave one. Leaves retrying to `connection`.
"""

from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from mgrd.errors import MgrdError


@dataclass(frozen=True)
class Violation:
    """One demand that is not met, or one field that is wrong."""

    subject: str
    """The field, or the thing the demand is about."""
    description: str
    kind: str = ""
    """The type of a precondition, such as "METRIC_TOO_LOW"; empty for a field."""


class CallError(MgrdError):
    """A call that failed. Its children tell the gRPC codes apart."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        code: str,
        metadata: dict[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.code = code
        """Name of the gRPC code, "NOT_FOUND"."""
        self.metadata = metadata or {}
        self.violations = violations
        self.retry_after_s = retry_after_s

    @property
    def field(self) -> str | None:
        """The offending field of the request, where one was named."""
        return self.violations[0].subject if self.code == "INVALID_ARGUMENT" and self.violations else None


class InvalidArgumentError(CallError):
    """The request is wrong whatever the state of the platform; `field` names where."""


class NotFoundError(CallError):
    """It does not exist, or the caller may not see it."""


class AlreadyExistsError(CallError):
    """It exists already."""


class FailedPreconditionError(CallError):
    """The state of the platform forbids it; `violations` lists every reason."""


class AbortedError(CallError):
    """Somebody else was first: read again, then decide."""


class PermissionDeniedError(CallError):
    """The caller may not do this."""


class UnauthenticatedError(CallError):
    """No token, or an unknown one."""


class ResourceExhaustedError(CallError):
    """Too much at once; try again after `retry_after_s`."""


class UnavailableError(CallError):
    """The service cannot be reached, also after retries."""


class DeadlineExceededError(CallError):
    """No answer within the time limit."""


_KINDS: dict[str, type[CallError]] = {
    "INVALID_ARGUMENT": InvalidArgumentError,
    "OUT_OF_RANGE": InvalidArgumentError,
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": AlreadyExistsError,
    "FAILED_PRECONDITION": FailedPreconditionError,
    "ABORTED": AbortedError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "RESOURCE_EXHAUSTED": ResourceExhaustedError,
    "UNAVAILABLE": UnavailableError,
    "DEADLINE_EXCEEDED": DeadlineExceededError,
}


def call_error(error: grpc.RpcError) -> CallError:
    """The exception for a failed call."""
    code = error.code().name
    kind = _KINDS.get(code, CallError)
    details = _details(error)
    return kind(
        error.details() or code,
        reason=details.info.reason or code,
        code=code,
        metadata=dict(details.info.metadata),
        violations=details.violations,
        retry_after_s=details.retry_after_s,
    )


@dataclass(frozen=True)
class _Details:
    info: error_details_pb2.ErrorInfo
    violations: tuple[Violation, ...] = ()
    retry_after_s: float | None = None


def _details(error: grpc.RpcError) -> _Details:
    info, violations, retry_after_s = error_details_pb2.ErrorInfo(), list[Violation](), None
    for detail in _status(error).details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
        else:
            violations += _violations(detail)
    return _Details(info, tuple(violations), retry_after_s)


def _violations(detail: object) -> list[Violation]:
    bad, failed, quota = (
        error_details_pb2.BadRequest(),
        error_details_pb2.PreconditionFailure(),
        error_details_pb2.QuotaFailure(),
    )
    for message in (bad, failed, quota):
        if detail.Is(message.DESCRIPTOR):  # type: ignore[attr-defined]
            detail.Unpack(message)  # type: ignore[attr-defined]
    return [
        *(Violation(one.field, one.description) for one in bad.field_violations),
        *(Violation(one.subject, one.description, one.type) for one in failed.violations),
        *(Violation(one.subject, one.description) for one in quota.violations),
    ]


def _status(error: grpc.RpcError) -> status_pb2.Status:
    try:
        return rpc_status.from_call(error) or status_pb2.Status()
    except (ValueError, DecodeError):  # details that contradict the status: keep the status
        return status_pb2.Status()
