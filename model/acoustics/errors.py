"""The errors of `model.acoustics`: one root, each with a stable reason for a program and a message for a person."""


class AcousticsError(ValueError):
    """Root of this package's errors; `reason` is UPPER_SNAKE and stable, the message names value and remedy."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["AcousticsError"], tuple[str, str]]:
        # Workers hand errors across processes by pickle, which would otherwise drop the reason.
        return type(self), (self.reason, str(self))


class AudioError(AcousticsError):
    """Bytes or samples that cannot be used as sound."""


class DescriptorError(AcousticsError):
    """A stored set of descriptors that cannot be read back."""
