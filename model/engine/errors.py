"""The error root of the engine."""


class EngineError(ValueError):
    """A request the engine cannot serve; `reason` is stable, the message says the remedy."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EngineFull(EngineError):
    """Too many requests are waiting; the same request may be sent again later."""
