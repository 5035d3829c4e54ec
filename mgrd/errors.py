"""The one root of everything `mgrd` raises on purpose.

Promises a stable upper-case `reason` for programs and a message for people that names the offending value and the
remedy. Leaves errors of remote calls, which know more, to `mgrd.clients.errors`.
"""


class MgrdError(ValueError):
    """Base of the package's errors."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
        """Stable, upper snake case."""
