"""The error root of the network package."""


class NetworkError(ValueError):
    """What the caller gave the network does not fit it; `reason` is stable, the message says the remedy."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CheckpointError(NetworkError):
    """A checkpoint folder is missing, malformed, unsafe or made for something else."""
