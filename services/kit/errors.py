"""The errors a service may raise at its callers: one root, one concrete class per gRPC status code.

Promises a stable UPPER_SNAKE `reason` for programs and a message for people that names the offending value
and the remedy. Standard library only, so domain modules may raise them; `status` maps them to gRPC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Violation:
    """One unmet precondition: its kind, the resource it concerns, and what would meet it."""

    type: str
    subject: str
    description: str


class ServiceError(ValueError):
    """Root of the errors that reach a caller; everything else is INTERNAL and stays in the log."""

    code: ClassVar[str] = "UNKNOWN"
    default_reason: ClassVar[str] = "UNKNOWN"

    def __init__(self, message: str, *, reason: str = "", metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.metadata = dict(metadata or {})


class InvalidArgument(ServiceError):
    """The request is wrong whatever the state of the service; `field` is its path in the request."""

    code = "INVALID_ARGUMENT"
    default_reason = "INVALID_ARGUMENT"

    def __init__(
        self, message: str, *, field: str, reason: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.field = field


class NotFound(ServiceError):
    """The resource does not exist, or the caller may not know of it."""

    code = "NOT_FOUND"
    default_reason = "NOT_FOUND"


class AlreadyExists(ServiceError):
    """Another resource has this name."""

    code = "ALREADY_EXISTS"
    default_reason = "ALREADY_EXISTS"


class FailedPrecondition(ServiceError):
    """The state of the resource forbids the request; every unmet condition is listed."""

    code = "FAILED_PRECONDITION"
    default_reason = "FAILED_PRECONDITION"

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.violations = tuple(violations)


class Aborted(ServiceError):
    """The caller acted on an outdated state (etag); it should read again and decide again."""

    code = "ABORTED"
    default_reason = "CONFLICT"


class PermissionDenied(ServiceError):
    """The caller is known and may not do this; the message never says whether the resource exists."""

    code = "PERMISSION_DENIED"
    default_reason = "PERMISSION_DENIED"


class Unauthenticated(ServiceError):
    """The caller is not known."""

    code = "UNAUTHENTICATED"
    default_reason = "UNAUTHENTICATED"


class DeadlineExceeded(ServiceError):
    """The work outlived the caller's deadline or the server's cap."""

    code = "DEADLINE_EXCEEDED"
    default_reason = "DEADLINE_EXCEEDED"


class _Retryable(ServiceError):
    def __init__(
        self, message: str, *, retry_after_s: float, reason: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.retry_after_s = retry_after_s


class ResourceExhausted(_Retryable):
    """No room for the request now; the caller may try again after `retry_after_s`."""

    code = "RESOURCE_EXHAUSTED"
    default_reason = "RESOURCE_EXHAUSTED"


class Unavailable(_Retryable):
    """A part the service needs does not answer; the caller may try again after `retry_after_s`."""

    code = "UNAVAILABLE"
    default_reason = "UNAVAILABLE"


def shown(value: str, *, limit: int = 80) -> str:
    """A caller's text made fit for a message or a log: quoted, escaped to ASCII, cut at `limit` characters."""
    return ascii(value if len(value) <= limit else value[:limit] + "...")
