"""What a pipeline step or runner raises on purpose: one root with a stable reason."""


class PipelineError(ValueError):
    """Base; `reason` is upper snake case and stable, the message names the value and the remedy.

    `permanent` says that trying again changes nothing.
    """

    def __init__(self, message: str, *, reason: str, permanent: bool = False) -> None:
        super().__init__(message)
        self.reason, self.permanent = reason, permanent


class GivenUpError(PipelineError):
    """The step has failed in a way that trying again cannot mend; this try does nothing."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="GIVEN_UP")


class Cancelled(Exception):
    """Not an error: raised out of a progress report when the run is being cancelled; a stage lets it pass."""
