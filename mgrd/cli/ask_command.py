"""`mgrd ask`: a question about a sound, answered as it is thought."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mgrd.cli.names import model_name, short
from mgrd.cli.options import Context, calling
from mgrd.cli.output import Output, table
from mgrd.cli.replies import Reply, collect
from mgrd.clients.inference import AnswerDelta, Answerer, Completion, Question, ReasoningDelta, ReplyEvent, Sampling
from mgrd.clients.sound import Evidence, Verdict

_SIGNS = {Verdict.SUPPORTED: ("✓ supported", "green"), Verdict.CONTRADICTED: ("✗ contradicted", "red")}


@click.command()
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("question")
@click.option("--model", default="nano", show_default=True)
@click.option("--alias", default="production", show_default=True)
@click.option("--choice", "choices", multiple=True, help="An answer to choose from; may be repeated.")
@click.option("--think/--no-think", default=True, help="Reason before answering.")
@click.option("--max-tokens", type=int, help="At most so many new tokens.")
@click.option("--temperature", type=float, help="0 is greedy.")
@click.option("--seed", type=int, help="For reproducible draws.")
@calling(default_person="ana")
def ask(
    context: Context,
    clip: str,
    question: str,
    model: str,
    alias: str,
    choices: tuple[str, ...],
    think: bool,
    max_tokens: int | None,
    temperature: float | None,
    seed: int | None,
) -> None:
    """Ask QUESTION about CLIP (WAV, FLAC, OGG or MP3; - reads standard input)."""
    asked = Question(
        model=model_name(model),
        text=question,
        audio=_sound_in(clip),
        alias=alias,
        choices=choices,
        think=think,
        sampling=Sampling(max_new_tokens=max_tokens, temperature=temperature, seed=seed),
    )
    with context.clients() as clients:
        answer_aloud(context.output, clients.inference.reason(asked))


def _sound_in(clip: str) -> bytes:
    sound = sys.stdin.buffer.read() if clip == "-" else Path(clip).read_bytes()
    if not sound:  # no bytes would ask without sound
        raise click.BadParameter(f"{clip} is empty; give a WAV, FLAC, OGG or MP3 file", param_hint="CLIP")
    return sound


def answer_aloud(output: Output, events: Iterable[ReplyEvent]) -> Reply:
    """Shows a reply as it comes, then its evidence and figures; returns it whole."""
    reply = collect(events, on_event=None if output.as_json else _Aloud(output.console).say)
    output.show(reply, view=summary(reply))
    return reply


class _Aloud:
    """The words of a reply as they come; a reply that is not reasoned begins with its answer."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._reasons = False

    def say(self, event: ReplyEvent) -> None:
        """Says what the event adds to the reply's words."""
        match event:
            case ReasoningDelta(text):
                if not self._reasons:
                    self._reasons = True
                    self._console.print(Text("reasoning ", style="dim"), end="")
                self._console.print(text, end="", style="italic")
            case AnswerDelta(text):
                self._console.print(text, end="", style="bold green")
            case Completion():
                self._console.print()
            case Answerer() | Evidence():
                pass


def summary(reply: Reply) -> Group:
    """The evidence and the figures of a reply."""
    parts: list[RenderableType] = []
    if reply.evidence:
        parts.append(_evidence_table(reply.evidence))
    elif reply.reasoning.strip():
        parts.append(Text("\nthe reasoning makes no claim about the sound that could be checked", style="dim"))
    if reply.completion is not None:
        parts.append(_figures(reply, reply.completion))
    return Group(*parts)


def _evidence_table(evidence: tuple[Evidence, ...]) -> Table:
    view = table("claim", "verdict", "measured", "confidence", title="\nevidence")
    for one in evidence:
        sign = Text(*_SIGNS.get(one.verdict, ("? not checkable", "dim")))
        measured = (f"{one.measured} {one.unit}".strip(), f"{one.confidence:.2f}") if one.measured else ("", "")
        view.add_row(one.claim.text, sign, *measured)
    return view


def _figures(reply: Reply, completion: Completion) -> Text:
    answerer = reply.answerer
    who = f"{short(answerer.version)}, {answerer.digest}" if answerer else "unknown"
    tokens = f"{completion.reasoning_tokens} + {completion.answer_tokens} tokens"
    lines = [
        Text.assemble(("\nanswer", "bold"), "      ", (completion.answer, "green")),
        Text.assemble(("answered by", "dim"), f" {who}"),
        Text.assemble(("first token", "dim"), f" {completion.time_to_first_token_ms:.0f} ms"),
        Text.assemble(("whole reply", "dim"), f" {completion.total_ms:.0f} ms, {tokens}"),
    ]
    if completion.out_of_domain:
        lines.append(Text.assemble(("a guess:", "yellow"), f" {completion.out_of_domain_reason}"))
    return Text("\n").join(lines)
