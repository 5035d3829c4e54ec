"""Wrong usage, told the way the caller asked for: with `--output json` as the error object every other failure is.

Promises the exit code of wrong usage either way. Leaves what a command takes to click.
"""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import click

from mgrd.cli.output import CODES, report
from mgrd.errors import MgrdError

_REASONS: tuple[tuple[type[click.ClickException], str], ...] = (
    (click.NoSuchOption, "UNKNOWN_OPTION"),
    (click.MissingParameter, "MISSING_ARGUMENT"),
    (click.BadParameter, "INVALID_ARGUMENT"),
    (click.UsageError, "WRONG_USAGE"),
)


class UsageError(MgrdError):
    """The command was called with what it does not take; `field` is the option or argument, where it is one."""

    def __init__(self, message: str, *, reason: str, field: str = "") -> None:
        super().__init__(message, reason=reason)
        self.field = field


class MgrdGroup(click.Group):
    """The `mgrd` command itself."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs it; click tells wrong usage to people, this to programs."""
        words = list(sys.argv[1:] if args is None else args)
        if not (standalone_mode and _wants_json(words)):
            return super().main(words, prog_name, complete_var, standalone_mode=standalone_mode, **extra)
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            report(_told(error), as_json=True)
            code = error.exit_code
        except click.Abort:
            report(MgrdError("it was interrupted", reason="INTERRUPTED"), as_json=True)
            code = CODES["failed"]
        sys.exit(code if isinstance(code, int) else CODES["ok"])


def _wants_json(words: Sequence[str]) -> bool:
    options = words[: words.index("--")] if "--" in words else words
    return "--output=json" in options or ("--output", "json") in pairwise(options)


def _told(error: click.ClickException) -> UsageError:
    reason = next((name for kind, name in _REASONS if isinstance(error, kind)), "FAILED")
    context = getattr(error, "ctx", None)
    missing = isinstance(error, click.exceptions.NoArgsIsHelpError)
    message = "A subcommand is missing." if missing else error.format_message()
    remedy = f" (`{context.command_path} --help` says what it takes)" if context else ""
    return UsageError(f"{message}{remedy}", reason=reason, field=_field(error))


def _field(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return error.option_name
    if isinstance(error, click.BadParameter):
        hint = error.param_hint or (error.param.get_error_hint(error.ctx) if error.param and error.ctx else "")
        return (hint if isinstance(hint, str) else " / ".join(hint)).strip("'")
    return ""
