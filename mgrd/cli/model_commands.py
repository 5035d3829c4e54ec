"""`mgrd model ...`: what is registered, what stands behind which alias, and how it came to be so."""

from datetime import datetime
from typing import Any

import click
from rich.console import Group
from rich.text import Text

from mgrd.cli.names import alias_name, model_name, short, version_name
from mgrd.cli.options import Context, calling
from mgrd.cli.output import plain, table, when
from mgrd.cli.run_commands import metrics_text
from mgrd.clients.registry_values import Gate, Version


class Time(click.ParamType[datetime]):
    """A time in ISO 8601; without a zone it is the caller's."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time with its zone."""
        try:
            return datetime.fromisoformat(value).astimezone()
        except ValueError:
            return self.fail(
                f"{value!r} is no time; write 2026-11-23, 2026-11-23T18:00 or 2026-11-23T18:00Z", param, ctx
            )


@click.group()
def model() -> None:
    """Look at models, versions and their history."""


@model.command("list")
@calling(default_person="ana")
def list_models(context: Context) -> None:
    """List models with their aliases."""
    with context.clients() as clients:
        models = list(clients.registry.list_models())
    view = table("model", "aliases", "creator", "created", "description")
    for one in models:
        aliases = ", ".join(f"{short(a.name).split('/')[-1]} → {short(a.version) or 'nothing'}" for a in one.aliases)
        view.add_row(short(one.name), aliases, one.creator, when(one.create_time), one.description)
    context.output.show(models, view=view)


@model.command()
@click.argument("name", metavar="MODEL[/N]")
@calling(default_person="ana")
def show(context: Context, name: str) -> None:
    """Show a model with its versions, or one version with lineage and evaluations."""
    if "/" in name.removeprefix("models/"):
        _show_version(context, version_name(name))
    else:
        _show_model(context, model_name(name))


@model.command()
@click.argument("name", metavar="MODEL")
@click.option("--alias", default="production", show_default=True)
@click.option("--at", "at_time", type=Time(), help="What it was then, such as 2026-11-23T18:00.")
@click.option("--audit", is_flag=True, help="Every audited act on the model instead.")
@calling(default_person="ana")
def history(context: Context, name: str, alias: str, at_time: datetime | None, audit: bool) -> None:
    """Show who pointed an alias where, when and why."""
    with context.clients() as clients:
        if audit:
            records = list(clients.registry.list_audit_records(model_name(name)))
            view = table("no.", "when", "who", "what", "resource", "particulars")
            for one in records:
                details = ", ".join(f"{key}={value}" for key, value in sorted(one.details.items()))
                view.add_row(str(one.sequence), when(one.create_time), one.actor, one.action, one.resource, details)
            context.output.show(records, view=view)
        elif at_time is not None:
            found = clients.registry.get_alias(alias_name(name, alias), read_time=at_time)
            context.output.show(found, view=f"{short(found.name)} was {short(found.version) or 'nothing'}")
        else:
            promotions = list(clients.registry.list_promotions(alias_name(name, alias)))
            view = table("when", "version", "before", "by", "approved by", "how", "why")
            for move in promotions:
                how = "rollback" if move.rollback else "promotion"
                row = (short(move.version), short(move.previous_version), move.actor, ", ".join(move.approvers))
                view.add_row(when(move.create_time), *row, how, move.reason)
            context.output.show(promotions, view=view)


def _show_model(context: Context, name: str) -> None:
    with context.clients() as clients:
        found = clients.registry.get_model(name)
        versions = list(clients.registry.list_versions(name))
    aliases = table("alias", "version", "gate", "changed", "etag", title="aliases")
    for one in found.aliases:
        gate, changed = gate_text(one.gate), when(one.update_time)
        aliases.add_row(one.name.split("/")[-1], short(one.version), gate, changed, one.etag)
    listed = table("version", "state", "aliases", "digest", "from", "author", "registered", title="versions")
    for each in versions:
        origin = short(each.lineage[-1].run) if each.lineage else ""
        row = (", ".join(alias.split("/")[-1] for alias in each.aliases), each.digest[:19], origin, each.author)
        listed.add_row(short(each.name), str(each.state), *row, when(each.create_time))
    value = plain(found) | {"versions": plain(versions)}
    context.output.show(value, view=Group(Text(f"{short(found.name)}  {found.description}\n"), aliases, "", listed))


def _show_version(context: Context, name: str) -> None:
    with context.clients() as clients:
        found = clients.registry.get_version(name)
        evaluations = list(clients.registry.list_evaluations(name))
    files = table("file", "size", "sha256", title="files")
    for file in found.manifest.files:
        files.add_row(file.path, f"{file.size_bytes:,}", file.sha256)
    measured = table("suite", "metrics", "by", "when", title="evaluations")
    for one in evaluations:
        measured.add_row(one.suite, metrics_text(one.metrics), one.evaluator, when(one.create_time))
    value = plain(found) | {"evaluations": plain(evaluations)}
    context.output.show(value, view=Group(Text(_version_text(found)), "", files, "", measured))


def _version_text(version: Version) -> str:
    lines = [
        f"{short(version.name)}: {version.state}, registered by {version.author}, {when(version.create_time)}",
        f"digest     {version.digest}",
        f"front end  {version.manifest.front_end_version}",
        *(f"from       {one.step} of {short(one.run)}, parent {one.parent}" for one in version.lineage),
    ]
    return "\n".join(lines)


def gate_text(gate: Gate) -> str:
    """A gate in one line."""
    demands = [
        f"{one.suite}/{one.metric} {str(one.comparison).replace('_', ' ')} {one.threshold:g}"
        for one in gate.requirements
    ]
    demands += [f"{gate.approvals} approval(s)"] if gate.approvals else []
    demands += ["smoke"] if gate.smoke_required else []
    return "; ".join(demands) or "none"
