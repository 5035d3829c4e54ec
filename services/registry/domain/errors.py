"""What the registry's rules say no with.

Each error carries a stable reason; the servicer's translation to a gRPC status is in `refusals.py`.
"""

from __future__ import annotations


class RegistryError(ValueError):
    """Root of the registry's refusals.

    reason: stable, UPPER_SNAKE; field: the request field at fault, empty where none is.
    """

    def __init__(self, message: str, *, reason: str, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class BadArtifact(RegistryError):
    """A file, path or manifest that the registry will not take."""


class IllegalTransition(RegistryError):
    """A change of state that a version's life does not allow."""


class SelfApproval(RegistryError):
    """An approval by someone who registered the version."""
