"""`mgrd demo`: the main job from end to end, with a line on each step saying what happens and why.

Promises to do nothing that a user could not do with the other subcommands: the same clients, the same people, the
same gate. A gate that is not met ends the demo with its reasons, as it would end a release.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from mgrd.cli.ask_command import answer_aloud
from mgrd.cli.demo_report import accuracy_table, where_next
from mgrd.cli.names import alias_name, short
from mgrd.cli.options import Context, local
from mgrd.cli.output import Output
from mgrd.cli.picture import draw_claims
from mgrd.cli.progress import watch_to_the_end
from mgrd.cli.replies import Reply
from mgrd.cli.run_commands import parameter_of
from mgrd.clients import Clients, FailedPreconditionError, NotFoundError, connect
from mgrd.clients.inference import Question
from mgrd.clients.training import Run, RunSpec, RunState
from mgrd.errors import MgrdError
from mgrd.home import Home
from mgrd.platform import control
from mgrd.platform.plans import source_root

MODEL = "models/nano"
_CLIP_SEED = 20_260
_CLIPS = 12
_SERVED_WITHIN_S = 60.0
_POLL_S = 0.1


@dataclass(frozen=True)
class Cast:
    """The clients of the people in the demo, and where they talk."""

    output: Output
    home: Home
    ana: Clients
    """The author: starts the run, promotes."""
    ben: Clients
    """The approver: somebody else than the author."""


@click.command()
@click.option("-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter.")
@local
def demo(context: Context, parameters: tuple[str, ...]) -> None:
    """Take the shipped base through distillation, reinforcement, gate, approval, promotion, and ask it."""
    output = context.output
    start_s = time.monotonic()
    _scene(output, "1  The platform starts", "Four services, Triton and its agent, each a process of its own.")
    took_s = control.up(context.home)
    output.say(f"all healthy after {took_s:.1f} s; `mgrd status` shows them")
    with connect(home=context.home, person="ana") as ana, connect(home=context.home, person="ben") as ben:
        reply = _main_job(Cast(output, context.home, ana, ben), dict(map(parameter_of, parameters)))
    output.say(Text(f"\nthe whole way took {(time.monotonic() - start_s) / 60:.1f} minutes", style="dim"))
    if output.as_json:
        output.show(reply, view="")


def _main_job(cast: Cast, parameters: Mapping[str, Any]) -> Reply:
    run = _learn(cast, parameters)
    cast.output.say(accuracy_table(run))
    _release(cast, run.version)
    _await_serving(cast.ana, run.version)
    clip = _heldout_clip(cast.home)
    reply = _ask(cast, clip)
    picture = draw_claims(
        cast.ana.features.extract(clip.path.read_bytes()), reply=reply, to=_folder(cast.home) / "claims.png"
    )
    cast.output.say(where_next(clip=clip.path, picture=picture, run=run))
    return reply


def _learn(cast: Cast, parameters: Mapping[str, Any]) -> Run:
    _scene(
        cast.output,
        "2  A run of the pipeline",
        "The base hears, but reasons from words. It now learns to reason from sound: its own reasoning is\n"
        "kept where measurements of the sound bear it out (distillation), then rewarded where it leads to right\n"
        "answers (reinforcement).",
    )
    created = cast.ana.training.create_run(RunSpec(MODEL, parameters=parameters))
    run = watch_to_the_end(cast.output, cast.ana.training.watch_run(created.name))
    if run.state is not RunState.SUCCEEDED:
        raise MgrdError(
            f"{run.name} {run.state}: {run.error}; see `mgrd run show {short(run.name)}` and `mgrd logs orchestrator`",
            reason="RUN_FAILED",
        )
    return run


def _release(cast: Cast, version: str) -> None:
    output, alias = cast.output, alias_name(MODEL, "production")
    _scene(
        output,
        "3  The gate",
        f"What the alias `production` still demands of {short(version)}, asked without moving it.",
    )
    try:
        cast.ana.registry.promote(alias, version=version, validate_only=True)
        output.say("nothing: it could be promoted at once")
    except FailedPreconditionError as refused:
        for violation in refused.violations:
            output.say(f"  • {violation.description}")
    _scene(output, "4  Approval and promotion", "Somebody other than the author approves; then the alias moves.")
    cast.ben.registry.create_approval(version, alias=alias, comment="demo: the gate's figures were looked at")
    output.say(f"ben approved {short(version)}")
    moved = cast.ana.registry.promote(alias, version=version, reason="demo")
    output.say(f"production now points at {short(moved.promotion.version)}, {moved.promotion.digest}")


def _await_serving(clients: Clients, version: str) -> None:
    deadline_s = time.monotonic() + _SERVED_WITHIN_S
    while time.monotonic() < deadline_s:
        try:
            found = clients.inference.get_deployment(MODEL)
        except NotFoundError:  # the gateway has not heard of the alias yet
            found = None
        if found is not None and found.serving and found.desired_version == version:
            return
        time.sleep(_POLL_S)
    raise MgrdError(
        f"{version} is not served after {_SERVED_WITHIN_S:.0f} s; see `mgrd logs agent`", reason="NOT_SERVED"
    )


@dataclass(frozen=True)
class Clip:
    """A held-out clip with its question."""

    path: Path
    question: str
    answer: str


def _heldout_clip(home: Home) -> Clip:
    folder = _folder(home) / "clips"
    options = ["--split", "test", "--count", str(_CLIPS), "--seed", str(_CLIP_SEED), "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "model.worlds", *options], check=True, cwd=source_root(), capture_output=True)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    row = max(rows, key=lambda one: (one["domain"] == "speech", one["depth"]))
    return Clip(folder / row["audio"], row["question"], row["answer"])


def _ask(cast: Cast, clip: Clip) -> Reply:
    _scene(
        cast.output,
        "5  A question",
        f"A clip no stage has heard, put to production over gRPC. Right would be: {clip.answer}",
    )
    cast.output.say(Panel.fit(clip.question, title=Text(clip.path.name)))
    question = Question(MODEL, clip.question, audio=clip.path.read_bytes())
    return answer_aloud(cast.output, cast.ana.inference.reason(question))


def _folder(home: Home) -> Path:
    folder = home.root / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _scene(output: Output, title: str, text: str) -> None:
    output.say()
    output.say(Rule(Text(title, style="bold"), align="left"))
    output.say(Text(text, style="dim"))
