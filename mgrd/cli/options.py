"""What every subcommand accepts: --output, --home, and --as where it calls a service.

Promises that the package's errors end a subcommand with a message, or JSON, and the exit code that fits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from mgrd.cli.output import Output, exit_code, report
from mgrd.clients import Clients, connect
from mgrd.errors import MgrdError
from mgrd.home import Home, default_home

Command = Callable[..., Any]


@dataclass(frozen=True)
class Context:
    """Where a subcommand runs, for whom, and how it answers."""

    output: Output
    chosen_home: Home | None
    chosen_person: str | None
    default_person: str

    @property
    def home(self) -> Home:
        """The platform's folder on this machine."""
        return self.chosen_home or default_home()

    def clients(self) -> Clients:
        """Clients of the platform; the caller closes them."""
        return connect(home=self.chosen_home, person=self.chosen_person, default_person=self.default_person)


def local(command: Command) -> Command:
    """A subcommand about the platform on this machine; it gets a `Context`."""
    return _shared(command, default_person="")


def calling(*, default_person: str) -> Callable[[Command], Command]:
    """A subcommand that calls services, on a local platform as `default_person` unless --as says otherwise."""
    option = click.option("--as", "person", metavar="PERSON", help=f"Whom to call as; locally {default_person}.")
    return lambda command: option(_shared(command, default_person=default_person))


def _shared(command: Command, *, default_person: str) -> Command:
    @click.option("--output", type=click.Choice(["text", "json"]), default="text", help="How to answer.")
    @click.option("--home", type=click.Path(path_type=Path), help="The platform's folder; default MGRD_HOME or .mgrd.")
    @wraps(command)
    def wrapped(output: str, home: Path | None, person: str | None = None, **arguments: Any) -> Any:
        as_json = output == "json"
        context = Context(Output(as_json=as_json), Home(home.absolute()) if home else None, person, default_person)
        try:
            return command(context, **arguments)
        except MgrdError as error:
            report(error, as_json=as_json)
            raise click.exceptions.Exit(exit_code(error)) from error

    return wrapped
