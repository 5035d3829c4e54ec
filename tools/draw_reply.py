"""Draws docs/img/reply.svg: a real question to a running platform, as `mgrd ask` shows it.

python tools/draw_reply.py CLIP QUESTION
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console

from mgrd.cli.ask_command import answer_aloud
from mgrd.cli.output import Output
from mgrd.clients import connect
from mgrd.clients.inference import Question

TARGET = Path(__file__).resolve().parents[1] / "docs" / "img" / "reply.svg"
WIDTH = 104


def main(clip: str, question: str) -> None:
    """Asks and draws."""
    output = Output(as_json=False)
    output.console = Console(record=True, width=WIDTH, highlight=False, force_terminal=True)
    output.say(f'[bold]$ mgrd ask {Path(clip).name} "{question}"[/]')
    with connect(person="rita") as clients:
        answer_aloud(output, clients.inference.reason(Question("models/nano", question, Path(clip).read_bytes())))
    output.console.save_svg(str(TARGET), title="mgrd ask")


if __name__ == "__main__":
    main(*sys.argv[1:])
