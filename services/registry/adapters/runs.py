"""Who started a run, as the orchestrator knows it: a step registers what a person set going, and that person is an
author as much as the step is, so may not approve it.
"""

import re

from mgrd.clients import CallError, Connection, NotFoundError, TrainingClient
from services.kit.errors import Unavailable

_RUN = re.compile(r"runs/[a-z0-9-]{1,63}")


class OrchestratorRuns:
    """Runs behind a connection; safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._client = TrainingClient(connection)

    def starter(self, run: str) -> str:
        """The subject that started `runs/{run}`; empty for a run the orchestrator never heard of.

        Unavailable where it cannot say: a version without all of its authors must not come into being.
        """
        if not _RUN.fullmatch(run):
            return ""
        try:
            return self._client.get_run(run).creator
        except NotFoundError:
            return ""
        except CallError as error:
            raise Unavailable(
                f"the orchestrator does not say who started {run} ({error.reason}); try again",
                reason="RUN_STARTER_UNKNOWN",
                retry_after_s=1.0,
            ) from error
