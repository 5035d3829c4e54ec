"""`mgrd run ...`: runs of the MGRD pipeline."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Group
from rich.text import Text

from mgrd.cli.names import model_name, run_name, short, version_name
from mgrd.cli.options import Context, calling
from mgrd.cli.output import CODES, table, when
from mgrd.cli.progress import watch_to_the_end
from mgrd.clients.training import Executor, Run, RunSpec, RunState
from mgrd.errors import MgrdError
from mgrd.store import open_store

_FAILED = CODES["run_failed"]


@click.group()
def run() -> None:
    """Start, follow and stop runs of the pipeline."""


@run.command()
@click.option("--model", default="nano", show_default=True, help="Model to register the result under.")
@click.option("--base", "base_version", metavar="MODEL/N", help="Version to start from; default: the shipped base.")
@click.option("--data", metavar="ROWS.jsonl", help="Own rows {audio, question, answer, choices?}, or sha256:...")
@click.option("-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter.")
@click.option("--id", "run_id", default="", help="Id wanted for the run.")
@click.option("--executor", type=click.Choice([one.value for one in Executor]), help="Where to run.")
@click.option("--dry-run", is_flag=True, help="Check the request and start nothing.")
@click.option("--watch", is_flag=True, help="Follow it to its end.")
@calling(default_person="ana")
def start(
    context: Context,
    model: str,
    base_version: str | None,
    data: str | None,
    parameters: tuple[str, ...],
    run_id: str,
    executor: str | None,
    dry_run: bool,
    watch: bool,
) -> None:
    """Start a run: the model learns, and what came of it is registered."""
    if dry_run and watch:
        raise click.UsageError("--dry-run starts nothing that --watch could follow; leave one of them out")
    spec = RunSpec(
        model=model_name(model),
        base_version=version_name(base_version) if base_version else "",
        parameters=dict(parameter_of(one) for one in parameters),
        executor=Executor(executor) if executor else None,
        data=_data(data),
    )
    with context.clients() as clients:
        if spec.base_version:
            clients.registry.get_version(spec.base_version)  # said now, not after the run has begun
        created = clients.training.create_run(spec, run_id=run_id, validate_only=dry_run)
        if watch:
            _finish(context, watch_to_the_end(context.output, clients.training.watch_run(created.name)))
            return
    remark = "could be started" if dry_run else f"started; follow it with `mgrd run watch {short(created.name)}`"
    context.output.show(created, view=f"{short(created.name)} {remark}")


@run.command()
@click.argument("run_id", metavar="RUN")
@calling(default_person="ana")
def watch(context: Context, run_id: str) -> None:
    """Follow RUN to its end; with --output json one line per change."""
    with context.clients() as clients:
        _finish(context, watch_to_the_end(context.output, clients.training.watch_run(run_name(run_id))))


@run.command("list")
@click.option("--state", type=click.Choice([one.value for one in RunState]), help="Only runs in this state.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@calling(default_person="ana")
def list_runs(context: Context, state: str | None, limit: int) -> None:
    """List runs, newest first."""
    with context.clients() as clients:
        found = clients.training.list_runs(state=RunState(state) if state else None, page_size=limit)
        runs = [one for one, _ in zip(found, range(limit), strict=False)]
    view = table("run", "state", "progress", "model", "version", "started by", "on", "created", "why it failed")
    for one in runs:
        progress = f"{one.progress:.0%}"
        place = Text(str(one.spec.executor or ""), style=f"link {one.external_url}" if one.external_url else "")
        row = (short(one.spec.model), short(one.version), one.creator, place, when(one.create_time), one.error)
        view.add_row(short(one.name), str(one.state), progress, *row)
    context.output.show(runs, view=view)


@run.command()
@click.argument("run_id", metavar="RUN")
@calling(default_person="ana")
def show(context: Context, run_id: str) -> None:
    """Show RUN with its steps and what each measured."""
    with context.clients() as clients:
        found = clients.training.get_run(run_name(run_id))
    context.output.show(found, view=run_view(found))


@run.command()
@click.argument("run_id", metavar="RUN")
@calling(default_person="ana")
def cancel(context: Context, run_id: str) -> None:
    """Stop RUN; what its finished steps produced stays."""
    with context.clients() as clients:
        found = clients.training.cancel_run(run_name(run_id))
    context.output.show(found, view=f"{short(found.name)} is {found.state}")


@run.command()
@click.argument("run_id", metavar="RUN")
@calling(default_person="ana")
def resume(context: Context, run_id: str) -> None:
    """Continue a failed or cancelled RUN from its last finished step."""
    with context.clients() as clients:
        found = clients.training.resume_run(run_name(run_id))
    context.output.show(found, view=f"{short(found.name)} is {found.state}")


@run.command()
@click.argument("run_id", metavar="RUN")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default RUN.html.")
@click.option("--store", envvar="MGRD_STORE_URL", help="The content store; default: the local platform's.")
@calling(default_person="ana")
def report(context: Context, run_id: str, to: Path | None, store: str | None) -> None:
    """Write RUN's report, one HTML page that opens anywhere: curves, tables, samples with their sound."""
    with context.clients() as clients:
        found = clients.training.get_run(run_name(run_id))
    step = next((step for step in reversed(found.steps) if step.page_digest), None)
    if step is None:
        raise MgrdError(
            f"{short(found.name)} has no report yet: its first evaluation makes one", reason="REPORT_MISSING"
        )
    path = to or Path(f"{short(found.name)}.html")
    open_store(store or context.home.store_url).fetch(step.page_digest.removeprefix("sha256:"), path.absolute())
    written = {"run": found.name, "step": step.name, "path": str(path)}
    context.output.show(written, view=f"{path}: {short(found.name)} up to step {step.name}")


def run_view(found: Run) -> Group:
    """A run with its steps."""
    head = Text(f"{short(found.name)}: {found.state}, {found.progress:.0%}, started by {found.creator}")
    steps = table("step", "state", "attempt", "message", "metrics")
    for step in found.steps:
        message = step.error or step.message
        steps.add_row(step.name, str(step.state), str(step.attempt), message, metrics_text(step.metrics))
    tail = [
        Text(line)
        for line in (found.error, found.version and f"registered {short(found.version)}", found.external_url)
        if line
    ]
    return Group(head, steps, *tail)


def metrics_text(metrics: Mapping[str, float]) -> str:
    """Metrics by name; a share stands with its interval, which comes as NAME_low and NAME_high."""
    bounds = {f"{name}{end}" for name in metrics for end in ("_low", "_high")}
    return ", ".join(
        f"{name} {value:.3g}{_interval(name, metrics)}" for name, value in sorted(metrics.items()) if name not in bounds
    )


def _interval(name: str, metrics: Mapping[str, float]) -> str:
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    return "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"


def _finish(context: Context, ended: Run) -> None:
    context.output.say(run_view(ended))
    if ended.state is not RunState.SUCCEEDED:
        raise click.exceptions.Exit(_FAILED)


def parameter_of(text: str) -> tuple[str, Any]:
    """A parameter as typed, NAME=VALUE; a value that is no JSON is a text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is no parameter; write NAME=VALUE", param_hint="--param")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _data(text: str | None) -> str:
    if text is None or text.startswith("sha256:"):
        return text or ""
    path = Path(text).absolute()
    if not path.is_file():
        raise click.BadParameter(f"{path} is no file; give a JSONL file or sha256:...", param_hint="--data")
    return str(path)
