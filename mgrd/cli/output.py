"""How results look: tables for people, JSON for programs, errors with a code.

Promises that with `--output json` standard output holds JSON alone (one document, or one per line for streams) and
errors are JSON on standard error. No text is read as markup: what people and models wrote may hold brackets; our own
words get their style as `Text`. Leaves what is shown to the commands.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mgrd.clients.errors import CallError
from mgrd.errors import MgrdError

CODES = {
    "ok": 0,
    "failed": 1,
    "usage": 2,
    "not_found": 3,
    "refused": 4,
    "forbidden": 5,
    "unavailable": 6,
    "conflict": 7,
    "run_failed": 8,
}
"""Exit codes by meaning; documented in `mgrd --help`."""
CODES_HELP = (
    "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not found; 4 refused by a gate or a precondition; "
    "5 not allowed; 6 not reachable or too late; 7 somebody was faster, or it exists; 8 the run failed."
)
_PIPE_WIDTH = 200  # a pipe has no width; tables should not be cut to a guess
_BY_STATUS = {
    "INVALID_ARGUMENT": "usage",
    "OUT_OF_RANGE": "usage",
    "NOT_FOUND": "not_found",
    "FAILED_PRECONDITION": "refused",
    "PERMISSION_DENIED": "forbidden",
    "UNAUTHENTICATED": "forbidden",
    "UNAVAILABLE": "unavailable",
    "DEADLINE_EXCEEDED": "unavailable",
    "RESOURCE_EXHAUSTED": "unavailable",
    "ABORTED": "conflict",
    "ALREADY_EXISTS": "conflict",
}
_BY_REASON = {
    "NO_PLATFORM": "unavailable",
    "NOT_HEALTHY": "unavailable",
    "NO_TOKEN": "forbidden",
    "REPORT_MISSING": "not_found",
    "BLOB_NOT_FOUND": "not_found",
}


class Output:
    """Where a command's results go."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)

    def show(self, value: Any, *, view: RenderableType) -> None:
        """The value as JSON, or the view of it."""
        if self.as_json:
            print(json.dumps(plain(value), ensure_ascii=False))  # noqa: T201  the command's result
        else:
            self.console.print(view)

    def say(self, text: RenderableType = "") -> None:
        """A remark for people; programs do not get it."""
        if not self.as_json:
            self.console.print(text)


def plain(value: Any) -> Any:
    """The value in what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, StrEnum | Path) else value


def exit_code(error: MgrdError) -> int:
    """The exit code that says what kind of failure it was."""
    meaning = _BY_STATUS.get(error.code) if isinstance(error, CallError) else _BY_REASON.get(error.reason)
    return CODES[meaning or "failed"]


def report(error: MgrdError, *, as_json: bool) -> None:
    """Says on standard error what went wrong."""
    if as_json:
        print(json.dumps({"error": _particulars(error)}, ensure_ascii=False), file=sys.stderr)  # noqa: T201
        return
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(Text.assemble(("error", "bold red"), f" {error} ", (f"({error.reason})", "dim")))
    if isinstance(error, CallError):
        for violation in error.violations:
            if violation.description in str(error):  # the message says it already
                continue
            console.print(f"  • {violation.subject}: {violation.description}")


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table in the command's style."""
    found = Table(title=title, box=None, header_style="bold", pad_edge=False, title_justify="left", title_style="bold")
    for column in columns:
        found.add_column(column)
    return found


def when(time: datetime | None) -> str:
    """A time as people read it, in their own zone."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else ""


def _particulars(error: MgrdError) -> dict[str, Any]:
    found: dict[str, Any] = {"reason": error.reason, "message": str(error)}
    if field := getattr(error, "field", ""):
        found["field"] = field
    if isinstance(error, CallError):
        found |= {
            "code": error.code,
            "field": error.field,
            "violations": plain(error.violations),
            "metadata": error.metadata,
        }
    return found
