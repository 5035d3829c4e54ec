"""What a training process says to the step that started it: lines of text, through a pipe or a pod's log.

Each is numbered, so that a log may be read again from its beginning; every other line is plain log.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, TextIO

from pipelines.launch.job import Progress, Report, TrainingFailedError
from pipelines.steps.reporting import told

_MARK = "mgrd-training "
_INTERVAL_S = 0.5


class LineWriter:
    """Says it: the progress callback of a stage in a process of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._number = 0
        self._last_s = 0.0

    def __call__(self, fraction: float, message: str, metrics: Mapping[str, float] | None = None, /) -> None:
        """At most two a second."""
        if time.monotonic() - self._last_s >= _INTERVAL_S:
            self._last_s = time.monotonic()
            self._say(fraction=fraction, message=message, metrics=dict(metrics or {}))

    def done(self, report: Report, *, digest: str = "") -> None:
        """The stage's report, and the digest of its checkpoint where that went into the store."""
        self._say(report=report, digest=digest)

    def failed(self, error: BaseException) -> None:
        """Why the stage failed."""
        self._say(error=told(error)[:2000])

    def _say(self, **content: Any) -> None:
        self._number += 1
        self._stream.write(f"{_MARK}{json.dumps({'number': self._number, **content})}\n")
        self._stream.flush()


class LineReader:
    """Hears it; a line that was heard before is passed over."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._heard = 0
        self.report: Report | None = None
        self.digest = ""
        self.error = ""

    def hear(self, line: str) -> bool:
        """Whether the line was one of ours; progress is passed on, which may raise."""
        if not line.startswith(_MARK):
            return False
        said = json.loads(line.removeprefix(_MARK))
        if said["number"] <= self._heard:
            return True
        self._heard = said["number"]
        if "report" in said:
            self.report, self.digest = said["report"], said["digest"]
        elif "error" in said:
            self.error = said["error"]
        else:
            self._progress(said["fraction"], said["message"], said["metrics"])
        return True

    def forget(self) -> None:
        """The processes were started anew, and count from the beginning."""
        self._heard, self.error = 0, ""

    def outcome(self, *, where: str) -> Report:
        """The report; TrainingFailedError with the stage's own words where there is none."""
        if self.report is None:
            raise TrainingFailedError(self.error or f"training ended without a report; see the log of {where}")
        return self.report
