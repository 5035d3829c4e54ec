"""What the documents tell people to type exists: commands, options, links, Python names."""

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from mgrd.cli.main import main
from model.worlds.questions import questions
from model.worlds.sampling import sample_scene

PAGES = [Path("README.md"), *sorted(Path("docs").glob("*.md"))]


def typed_commands(page: Path) -> Iterator[str]:
    for line in page.read_text().splitlines():
        if line.startswith("    "):
            for part in re.split(r"\s{3,}|&&|\|", line.strip()):
                if part.strip().startswith("mgrd "):
                    yield part.strip()
        yield from re.findall(r"`(mgrd [^`]+)`", line)


def parsed(text: str) -> None:
    words = shlex.split(text, comments=True)[1:]
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, text
        command = found
    context = click.Context(command, info_name=text)
    command.make_parser(context).parse_args(words)


@pytest.mark.parametrize(
    ("page", "command"), [(page.name, one) for page in PAGES for one in typed_commands(page)], ids=str
)
def test_a_documented_command_exists_with_its_options(page: str, command: str) -> None:
    parsed(command)


def test_an_undocumented_option_would_be_noticed() -> None:
    with pytest.raises(click.NoSuchOption):
        parsed("mgrd up --no-such-option")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_python_in_the_pages_compiles_and_imports(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_make_targets_named_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`", Path("README.md").read_text()))
    assert named <= targets


def test_the_questions_said_to_be_known_are_those_of_the_world() -> None:
    section = Path("docs/calls.md").read_text().partition("## What the shipped base knows")[2].partition("##")[0]
    listed = {one.strip() for one in re.findall(r"[a-z ]+ \?", section)}
    rng = np.random.default_rng(0)
    scenes = (sample_scene(rng, split="train", words_agree=0.85) for _ in range(2000))
    asked = {item.question.text for scene in scenes for item in questions(scene, rng)}
    assert len(listed) > 10
    assert listed <= asked
