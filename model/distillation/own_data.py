"""Data of a run from somebody's own rows: checked whole, split once, laid out like the world's."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from model.distillation.clips import Dataset
from model.distillation.rows import DataError, Row, audio_path, write_rows

MIN_ROWS = 10
_HELDOUT_OF_TEN = 2


def lay_out_own(source: Path, out: Path) -> None:
    """Writes train, rl and heldout.jsonl with copies of their clips.

    A fifth of the clips is held out, chosen by the clip's bytes, so that no clip is on both sides.
    Every clip is decoded here: a bad one is named with its line before anything is trained.
    """
    dataset = Dataset(source)
    if len(dataset.rows) < MIN_ROWS:
        raise DataError(source, len(dataset.rows), f"only {len(dataset.rows)} rows; give at least {MIN_ROWS}")
    for row in dataset.rows:
        dataset.clip(row)
    placed = [_placed(source, row, out) for row in dataset.rows]
    heldout = [row for row, tenth in placed if tenth < _HELDOUT_OF_TEN]
    train = [row for row, tenth in placed if tenth >= _HELDOUT_OF_TEN]
    _refuse_empty(source, {"training": train, "held-out": heldout})
    for name, rows in (("train", train), ("rl", train), ("heldout", heldout)):
        write_rows(out / f"{name}.jsonl", rows)


def copied_audio(source: Path, rows: Sequence[Row], out: Path) -> Iterator[Row]:
    """Rows of one file for another: their clips lie beside the new one, named by content."""
    for row in rows:
        yield _placed(source, row, out)[0]


def _placed(source: Path, row: Row, out: Path) -> tuple[Row, int]:
    where = audio_path(source, row)
    if where is None:
        return row, int(hashlib.sha256(row.question.encode()).hexdigest(), 16) % 10
    digest = hashlib.sha256(where.read_bytes()).hexdigest()
    name = f"audio/{digest[:16]}{where.suffix.lower()}"
    target = out / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(where, target)
    return replace(row, audio=name), int(digest, 16) % 10


def _refuse_empty(source: Path, parts: dict[str, list[Row]]) -> None:
    for name, rows in parts.items():
        if not rows:
            raise DataError(
                source, 1, f"no row falls into the {name} part; give rows about more different clips"
            )
