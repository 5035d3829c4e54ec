"""Draws docs/img/reply.svg: a real question to a running platform, as `mgrd ask` shows it.

python tools/draw_reply.py CLIP QUESTION [SEED]
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.text import Text

from mgrd.cli.ask_command import summary
from mgrd.cli.replies import collect
from mgrd.clients import connect
from mgrd.clients.inference import Question, Sampling

TARGET = Path(__file__).resolve().parents[1] / "docs" / "img" / "reply.svg"
WIDTH = 104


def main(clip: str, question: str, seed: str = "0") -> None:
    """Asks and draws; the seed makes the draw repeatable."""
    asked = Question("models/nano", question, Path(clip).read_bytes(), sampling=Sampling(seed=int(seed)))
    with connect(person="rita") as clients:
        reply = collect(clients.inference.reason(asked))
    console = Console(record=True, width=WIDTH, highlight=False)
    console.print(Text(f'$ mgrd ask {Path(clip).name} "{question}"', style="bold"))
    console.print(Text.assemble(("reasoning", "dim"), " ", (reply.reasoning.strip(), "italic")))
    console.print(Text(reply.answer.strip(), style="bold green"))
    console.print(summary(reply))
    drawn = console.export_svg(title="mgrd ask")
    TARGET.write_text(re.sub(r"<!--.*?-->|@font-face \{.*?\}", "", drawn, flags=re.DOTALL))  # no font from elsewhere


if __name__ == "__main__":
    main(*sys.argv[1:])
