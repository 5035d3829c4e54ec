"""Wrong usage of the command, for people and for programs."""

import json

import pytest
from click.testing import CliRunner

from mgrd.cli.main import main
from mgrd.cli.output import CODES

WRONG = [
    (("run", "start", "--foo"), "UNKNOWN_OPTION", "--foo", "`mgrd run start --help`"),
    (("run", "show"), "MISSING_ARGUMENT", "RUN", "`mgrd run show --help`"),
    (("run", "start", "--executor", "moon"), "INVALID_ARGUMENT", "--executor", "'moon' is not one of"),
    (("run", "list", "--limit", "x"), "INVALID_ARGUMENT", "--limit", "'x' is not a valid integer"),
    (("run", "list", "--limit", "0"), "INVALID_ARGUMENT", "--limit", "0 is not in the range"),
    (("run", "start", "--dry-run", "--watch"), "WRONG_USAGE", "", "leave one of them out"),
    (("run", "start", "-p", "x"), "INVALID_ARGUMENT", "--param", "write NAME=VALUE"),
    (("ask", "no-such.wav", "what ?"), "INVALID_ARGUMENT", "CLIP", "does not exist"),
    (("ask", "/dev/null", "what ?"), "INVALID_ARGUMENT", "CLIP", "is empty; give a WAV"),
    (("promote", "nano"), "INVALID_ARGUMENT", "", "names no version"),
    (("model", "history", "nano", "--at", "noon"), "INVALID_ARGUMENT", "--at", "write 2026-11-23, "),
    (("bogus",), "WRONG_USAGE", "", "No such command 'bogus'"),
]


@pytest.mark.parametrize(("words", "reason", "field", "said"), WRONG, ids=lambda one: " ".join(one) if one else "-")
def test_wrong_usage_for_programs_is_the_error_object(
    words: tuple[str, ...], reason: str, field: str, said: str
) -> None:
    found = CliRunner().invoke(main, [*words, "--output", "json"], prog_name="mgrd")
    assert (found.exit_code, found.stdout) == (CODES["usage"], "")
    error = json.loads(found.stderr)["error"]
    assert (error["reason"], error.get("field", "")) == (reason, field)
    assert said in error["message"]


@pytest.mark.parametrize("words", [words for words, *_ in WRONG], ids=" ".join)
def test_wrong_usage_for_people_is_a_sentence_with_the_same_exit_code(words: tuple[str, ...]) -> None:
    found = CliRunner().invoke(main, list(words), prog_name="mgrd")
    assert found.exit_code == CODES["usage"]
    assert "Error: " in found.stderr


def test_what_is_said_after_the_options_end_asks_for_nothing() -> None:
    found = CliRunner().invoke(main, ["run", "show", "--", "a", "b", "--output", "json"], prog_name="mgrd")
    assert found.exit_code == CODES["usage"]
    assert found.stderr.startswith("Usage: ")


def test_help_is_help_for_programs_too() -> None:
    found = CliRunner().invoke(main, ["run", "list", "--help", "--output=json"], prog_name="mgrd")
    assert (found.exit_code, found.stdout.startswith("Usage: mgrd run list")) == (CODES["ok"], True)
