"""`mgrd up`, `down`, `status`, `logs`: the platform on this machine."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mgrd.cli.options import Context, local
from mgrd.cli.output import CODES, table
from mgrd.platform import control
from mgrd.platform.control import PlatformStatus

_FOLLOW_EVERY_S = 0.2
_HEALTH = (("down", "red"), ("not ready", "yellow"), ("healthy", "green"))


@click.command()
@click.option("--timeout", "timeout_s", type=float, default=60.0, show_default=True, help="Seconds to wait.")
@local
def up(context: Context, timeout_s: float) -> None:
    """Start the platform and wait until all of it is healthy."""
    with Live(console=context.output.console, transient=True) as live:

        def on_change(found: PlatformStatus) -> None:
            if not context.output.as_json:
                live.update(_waiting(found))

        took_s = control.up(context.home, timeout_s=timeout_s, on_change=on_change)
    found = control.status(context.home)
    view = Group(_status_table(found), Text(f"\nall healthy after {took_s:.1f} s; state in {found.home}"))
    context.output.show(found, view=view)


@click.command()
@local
def down(context: Context) -> None:
    """Stop every process of the platform; its state stays."""
    count = control.down(context.home)
    context.output.show({"stopped": count}, view=f"{count} processes stopped; state stays in {context.home.root}")


@click.command()
@local
def status(context: Context) -> None:
    """Show every process of the platform; exit status 6 unless all are healthy."""
    found = control.status(context.home)
    if found.processes:
        remark = "" if found.supervised else "\nnot supervised: run `mgrd up` to take care of it again"
        context.output.show(found, view=Group(_status_table(found), Text(remark)))
    else:
        context.output.show(found, view=f"no platform was started in {found.home}; run `mgrd up`")
    if not found.healthy:
        raise click.exceptions.Exit(CODES["unavailable"])


@click.command()
@click.argument("service", default="supervisor")
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many to begin with."
)
@local
def logs(context: Context, service: str, follow: bool, lines: int) -> None:
    """Show the log of SERVICE (as in `mgrd status`, or supervisor)."""
    path = control.log_file(context.home, service)
    found = path.read_text(errors="replace").splitlines()
    for line in found[max(len(found) - lines, 0) :]:
        _say(context, service, line)
    if follow:
        for line in _growing(path):
            _say(context, service, line)


def _say(context: Context, service: str, line: str) -> None:
    """A line as it stands; for programs as JSON, whatever the process wrote."""
    click.echo(json.dumps({"process": service, "line": line}) if context.output.as_json else line)
    sys.stdout.flush()


def _growing(path: Path) -> Iterator[str]:
    """Each line as it is completed."""
    with path.open(errors="replace") as file:
        file.seek(0, 2)
        begun = ""
        while True:
            begun += file.readline()
            if begun.endswith("\n"):
                yield begun.removesuffix("\n")
                begun = ""
            else:
                time.sleep(_FOLLOW_EVERY_S)


def _waiting(found: PlatformStatus) -> Spinner:
    missing = ", ".join(one.name for one in found.processes if not one.healthy) or "the supervisor"
    return Spinner("dots", f"starting; waiting for {missing}")


def _status_table(found: PlatformStatus) -> Table:
    view = table("process", "pid", "health", "address", "memory", "restarts")
    for one in found.processes:
        health = Text(*_HEALTH[2 if one.healthy else 1 if one.pid else 0])
        memory = f"{one.resident_bytes / 2**20:.0f} MB" if one.pid else ""
        view.add_row(one.name, str(one.pid or ""), health, one.address, memory, str(one.restarts))
    return view
