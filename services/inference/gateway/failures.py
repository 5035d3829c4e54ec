"""Failures of the parts a reply needs, as errors of this service; the one place they are translated."""

from mgrd.clients.errors import CallError
from services.inference.triton import errors
from services.inference.triton.errors import TritonError
from services.kit.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    ServiceError,
    Unavailable,
)

RETRY_AFTER_S = 1.0


def unavailable(message: str, *, reason: str) -> Unavailable:
    """Nobody can answer now; the caller may come back."""
    return Unavailable(f"{message}; try again shortly", reason=reason, retry_after_s=RETRY_AFTER_S)


def of_triton(error: TritonError) -> ServiceError:
    """A Triton's failure, without its internals."""
    if error.reason == errors.ENGINE_FULL:
        return ResourceExhausted(str(error), reason=error.reason, retry_after_s=RETRY_AFTER_S)
    if error.reason == errors.REJECTED:
        return InvalidArgument(str(error), field="question", reason=error.reason)
    if error.reason == errors.TIMEOUT:
        return DeadlineExceeded("the reply was not finished within the deadline; allow it more time or fewer tokens")
    return unavailable("the model could not finish this reply", reason=error.reason)


def of_call(error: CallError) -> ServiceError:
    """A failure of the features or registry service on behalf of the caller."""
    metadata = error.metadata
    if error.code == "INVALID_ARGUMENT":
        return InvalidArgument(str(error), field=error.field or "audio", reason=error.reason, metadata=metadata)
    if error.code == "NOT_FOUND":
        return NotFound(str(error), reason=error.reason, metadata=metadata)
    if error.code == "FAILED_PRECONDITION":
        return FailedPrecondition(str(error), reason=error.reason, metadata=metadata)
    if error.code == "RESOURCE_EXHAUSTED":
        return ResourceExhausted(str(error), reason=error.reason, retry_after_s=error.retry_after_s or RETRY_AFTER_S)
    if error.code == "DEADLINE_EXCEEDED":
        return DeadlineExceeded("a part of the platform did not answer within the deadline; allow it more time")
    return unavailable("a part of the platform does not answer", reason="DEPENDENCY_UNAVAILABLE")
