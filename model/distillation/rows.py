"""Rows of data: one question a line, in JSONL, the same for the shipped world and for anyone's data.

A row holds `question` and `answer`, usually `audio` (a path beside the file, or absolute), perhaps
`choices`. A bad row is named with its line before anything is trained.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

MAX_ROW_BYTES = 64 * 1024
MAX_TEXT_CHARS = 2000


class DataError(ValueError):
    """A row cannot be used; `line` is its number from 1."""

    reason = "DATA_ROW_INVALID"

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
    path.write_text("".join(row.to_json() + "\n" for row in rows))


def read_rows(path: Path) -> list[Row]:
    """Reads and checks every row; the first bad one raises DataError."""
    return [_row(path, number, line) for number, line in _lines(path)]


def audio_path(path: Path, row: Row) -> Path | None:
    """Where the row's clip lies: beside the file that names it, unless absolute."""
    return None if row.audio is None else path.parent / row.audio


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(path, 1, f"not UTF-8 text ({error.reason}); save the file as UTF-8") from error
    numbered = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise DataError(path, 1, "the file holds no rows; give one JSON object a line")
    return iter(numbered)


def _row(path: Path, number: int, line: str) -> Row:
    if len(line.encode()) > MAX_ROW_BYTES:
        raise DataError(path, number, f"row is longer than {MAX_ROW_BYTES} bytes; shorten it")
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(path, number, f"not JSON ({error}); give one JSON object a line") from error
    if not isinstance(found, dict):
        raise DataError(path, number, f"a {type(found).__name__} where a JSON object is expected")
    _check(path, number, found)
    found.setdefault("id", f"row-{number}")
    return Row(**{**found, "choices": tuple(found.get("choices") or ())})


def _check(path: Path, number: int, found: Mapping[str, Any]) -> None:
    known = {field.name for field in fields(Row)}
    if unknown := sorted(set(found) - known):
        raise DataError(path, number, f"unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name in ("question", "answer"):
        value = found.get(name)
        if not isinstance(value, str) or not value.strip():
            raise DataError(path, number, f"{name} is {value!r}; give a text")
        if len(value) > MAX_TEXT_CHARS:
            raise DataError(path, number, f"{name} has {len(value)} characters; at most {MAX_TEXT_CHARS}")
    choices = found.get("choices") or []
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise DataError(path, number, f"choices is {choices!r}; give a list of texts")
    if choices and found["answer"] not in choices:
        raise DataError(path, number, f"answer {found['answer']!r} is not among choices {choices}")
    audio = found.get("audio")
    if audio is None:
        return
    if not isinstance(audio, str) or not (path.parent / audio).is_file():
        raise DataError(path, number, f"audio {audio!r} is no file beside {path.name}; correct the path")
