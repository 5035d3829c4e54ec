"""Rows of data: one question a line, in JSONL, the same for the shipped world and for anyone's data.

A row holds `question` and `answer`, usually `audio` (a path beside the file, or absolute), perhaps
`choices`. A bad row is named with its line before anything is trained.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from model.learning.answers import normalise

MAX_ROW_BYTES = 64 * 1024
MAX_TEXT_BYTES = 2000
"""Of all texts the model reads or writes in a row: with the longest clip they fit into its context."""


class DataError(ValueError):
    """A row cannot be used; `line` is its number from 1."""

    reason = "DATA_ROW_INVALID"
    permanent = True
    """The row stays as it is, however often the step is tried."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path.name} line {line}: {problem}")
        self.line = line


@dataclass(frozen=True)
class Row:
    """One question."""

    question: str
    answer: str
    audio: str | None = None
    choices: tuple[str, ...] = ()
    id: str = ""
    kind: str = ""
    depth: int = 0
    domain: str = ""
    contradictory: bool = False
    """Whether the words of the clip suggest another answer than its sound."""
    reasoning: str = ""
    """A chain, where one is given: text questions carry theirs."""
    counterfactual_answer: str | None = None
    """The answer once the sound is edited and the words are kept; None where no edit is known."""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes rows, a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(row.to_json() + "\n" for row in rows), encoding="utf-8")


def read_rows(path: Path) -> list[Row]:
    """Reads and checks every row; the first bad one raises DataError."""
    return list(read_numbered(path).values())


def read_numbered(path: Path) -> dict[int, Row]:
    """The rows by their line numbers."""
    return {number: _row(path, number, line) for number, line in _lines(path)}


def audio_path(path: Path, row: Row) -> Path | None:
    """Where the row's clip lies: beside the file that names it, unless absolute."""
    return None if row.audio is None else path.parent / row.audio


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(path, 1, f"not UTF-8 text ({error.reason}); save the file as UTF-8") from error
    except OSError as error:
        raise DataError(path, 1, f"cannot be read ({error.strerror}); correct the path") from error
    numbered = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise DataError(path, 1, "the file holds no rows; give one JSON object a line")
    return iter(numbered)


def _row(path: Path, number: int, line: str) -> Row:
    try:
        found = _parsed(line)
        _check_fields(found)
        _check_texts(found)
        _check_choices(found)
        _check_audio(path, found)
    except _BadRowError as error:
        raise DataError(path, number, str(error)) from error
    given = {name: value for name, value in found.items() if value is not None}
    return Row(**{"id": f"row-{number}", **given, "choices": tuple(given.get("choices", ()))})


class _BadRowError(ValueError):
    """What is wrong with a row, before it is known where the row stands."""


_OPTIONAL_FIELDS = {
    "id": str,
    "kind": str,
    "domain": str,
    "reasoning": str,
    "counterfactual_answer": str,
    "depth": int,
    "contradictory": bool,
}


def _parsed(line: str) -> dict[str, Any]:
    if len(line.encode()) > MAX_ROW_BYTES:
        raise _BadRowError(f"row is longer than {MAX_ROW_BYTES} bytes; shorten it")
    try:
        found = json.loads(line)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _BadRowError(f"text with half a character ({error.reason}); write whole characters") from error
    except (ValueError, RecursionError) as error:
        raise _BadRowError(f"not JSON ({error}); give one JSON object a line") from error
    if not isinstance(found, dict):
        raise _BadRowError(f"a {type(found).__name__} where a JSON object is expected")
    return found


def _check_fields(found: Mapping[str, Any]) -> None:
    known = {field.name for field in fields(Row)}
    if unknown := sorted(set(found) - known):
        raise _BadRowError(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name, kind in _OPTIONAL_FIELDS.items():
        value = found.get(name)
        if value is not None and type(value) is not kind:
            raise _BadRowError(f"{name} is {value!r}; give a value of type {kind.__name__} or leave it out")


def _check_texts(found: Mapping[str, Any]) -> None:
    for name in ("question", "answer"):
        value = found.get(name)
        if not isinstance(value, str) or not value.strip():
            raise _BadRowError(f"{name} is {value!r}; give a text")
    if not normalise(found["answer"]):
        raise _BadRowError(f"answer {found['answer']!r} has neither letter nor digit; nothing could equal it")


def _check_choices(found: Mapping[str, Any]) -> None:
    choices = found.get("choices")
    if choices is None:
        choices = []
    if not isinstance(choices, list) or not all(isinstance(c, str) and c.strip() for c in choices):
        raise _BadRowError(f"choices is {choices!r}; give a list of texts")
    if choices and found["answer"] not in choices:
        raise _BadRowError(f"answer {found['answer']!r} is not among choices {choices}")
    texts = (found["question"], found["answer"], found.get("reasoning") or "", *choices)
    if (size := sum(len(text.encode()) for text in texts)) > MAX_TEXT_BYTES:
        raise _BadRowError(f"its texts have {size} bytes together; at most {MAX_TEXT_BYTES}")


def _check_audio(path: Path, found: Mapping[str, Any]) -> None:
    audio = found.get("audio")
    if audio is not None and not (isinstance(audio, str) and os.path.isfile(path.parent / audio)):  # noqa: PTH113
        raise _BadRowError(f"audio {audio!r} is no file beside {path.name}; correct the path")
