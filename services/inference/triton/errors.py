"""What can go wrong between the platform and a Triton, each with a stable reason."""


class TritonError(ValueError):
    """A Triton did not do what was asked; `reason` is stable, the message names the remedy."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed elsewhere or later."""
        return self.reason in RETRYABLE


UNAVAILABLE = "TRITON_UNAVAILABLE"
STUB_DEAD = "STUB_DEAD"
NOT_LOADED = "MODEL_NOT_LOADED"
ENGINE_FULL = "ENGINE_FULL"
TIMEOUT = "TRITON_TIMEOUT"
CANCELLED = "CANCELLED"
LOAD_FAILED = "LOAD_FAILED"
REJECTED = "REQUEST_REJECTED"
INTERNAL = "BACKEND_INTERNAL"

RETRYABLE = frozenset({UNAVAILABLE, STUB_DEAD, NOT_LOADED, ENGINE_FULL})
