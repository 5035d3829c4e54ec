"""Rows of data: what is accepted, and that every bad row is named with its line and the reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from model.distillation.rows import (
    MAX_ROW_BYTES,
    MAX_TEXT_BYTES,
    DataError,
    Row,
    audio_path,
    read_numbered,
    read_rows,
    write_rows,
)

GOOD = {"question": "how does it sound ?", "answer": "sad"}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "own.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_plain_row_gets_an_id_from_its_line(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, "", GOOD))
    assert row == Row(question="how does it sound ?", answer="sad", id="row-2")


def test_every_field_survives_a_round_trip(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    rows = [
        Row("wie klingt es – 快?", "快乐", audio="a.wav", choices=("快乐", "sad"), id="x", kind="mood", depth=2),
        Row("q \u2028 ?", "1", domain="text", contradictory=True, reasoning="so .", counterfactual_answer="2", id="y"),
    ]
    write_rows(tmp_path / "out" / ".." / "own.jsonl", rows)
    assert read_rows(tmp_path / "own.jsonl") == rows


def test_blank_lines_are_counted_but_are_no_rows(tmp_path: Path) -> None:
    assert list(read_numbered(written(tmp_path, GOOD, "", "  ", GOOD))) == [1, 4]


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    assert len(read_rows(written(tmp_path, "\ufeff" + json.dumps(GOOD)))) == 1


def test_null_means_left_out(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, {**GOOD, "id": None, "choices": None, "audio": None, "depth": None}))
    assert (row.id, row.choices, row.audio, row.depth) == ("row-1", (), None, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "a list where a JSON object"),
        ("null", "a NoneType where a JSON object"),
        ("[" * 60_000, "not JSON"),
        ('{"question": ' + "9" * 5000 + "}", "not JSON"),
        ('{"question": "\\ud800", "answer": "x"}', "half a character"),
        ({"answer": "sad"}, "question is None"),
        ({**GOOD, "question": "  "}, "question is '  '"),
        ({**GOOD, "question": 5}, "question is 5"),
        ({"question": "q"}, "answer is None"),
        ({**GOOD, "answer": ["sad"]}, "answer is"),
        ({**GOOD, "answer": "?!"}, "neither letter nor digit"),
        ({**GOOD, "choices": "sad"}, "choices is 'sad'"),
        ({**GOOD, "choices": {}}, "choices is {}"),
        ({**GOOD, "choices": ["sad", 3]}, "choices is"),
        ({**GOOD, "choices": ["sad", " "]}, "choices is"),
        ({**GOOD, "choices": ["glad", "mad"]}, "not among choices"),
        ({**GOOD, "anwser": "sad"}, "unknown field 'anwser'; known are answer"),
        ({**GOOD, "depth": "2"}, "depth is '2'; give a value of type int"),
        ({**GOOD, "depth": True}, "depth is True"),
        ({**GOOD, "id": 7}, "id is 7"),
        ({**GOOD, "reasoning": ["so"]}, "reasoning is"),
        ({**GOOD, "contradictory": 1}, "contradictory is 1"),
        ({**GOOD, "audio": "missing.wav"}, "no file beside own.jsonl"),
        ({**GOOD, "audio": 3}, "audio 3 is no file"),
        ({**GOOD, "audio": "a" * 300}, "is no file"),
        ({**GOOD, "audio": "a\0b"}, "is no file"),
        ({**GOOD, "audio": "."}, "is no file"),
        ({**GOOD, "question": "ü" * (MAX_TEXT_BYTES // 2)}, f"at most {MAX_TEXT_BYTES}"),
        ({**GOOD, "reasoning": "so " * MAX_TEXT_BYTES}, f"at most {MAX_TEXT_BYTES}"),
        ({**GOOD, "reasoning": "x" * MAX_ROW_BYTES}, f"longer than {MAX_ROW_BYTES} bytes"),
    ],
    ids=str,
)
def test_a_bad_row_is_named(tmp_path: Path, row: object, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        read_rows(written(tmp_path, GOOD, "", row, GOOD))
    assert caught.value.line == 3
    assert str(caught.value).startswith("own.jsonl line 3: ")
    assert reason in str(caught.value)
    assert caught.value.reason == "DATA_ROW_INVALID"


def test_a_file_without_rows_or_text_or_existence_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"own\.jsonl line 1: the file holds no rows"):
        read_rows(written(tmp_path, "", " "))
    (tmp_path / "sound.jsonl").write_bytes(b"RIFF\xff\xfe")
    with pytest.raises(DataError, match="save the file as UTF-8"):
        read_rows(tmp_path / "sound.jsonl")
    with pytest.raises(DataError, match="correct the path"):
        read_rows(tmp_path / "missing.jsonl")


def test_a_clip_lies_beside_the_file_that_names_it_unless_absolute(tmp_path: Path) -> None:
    assert audio_path(tmp_path / "own.jsonl", Row("q", "a", audio="clips/x.wav")) == tmp_path / "clips" / "x.wav"
    assert audio_path(tmp_path / "own.jsonl", Row("q", "a", audio="/x.wav")) == Path("/x.wav")
    assert audio_path(tmp_path / "own.jsonl", Row("q", "a")) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
field_names = st.sampled_from(["question", "answer", "choices", "audio", "id", "depth", "reasoning", "contradictory"])
row_like = st.dictionaries(field_names | st.text(max_size=4), json_values, max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(json_values, row_like, row_like.map(lambda row: {**GOOD, **row})))
@example({**GOOD, "choices": ["sad"], "audio": None})
def test_any_json_is_a_good_row_or_a_named_one(tmp_path: Path, value: Any) -> None:
    path, line = written(tmp_path, GOOD, value), 0
    try:
        rows = read_rows(path)
    except DataError as error:
        line = error.line
    if line:
        assert line == 2
    else:
        write_rows(tmp_path / "again.jsonl", rows)
        assert read_rows(tmp_path / "again.jsonl") == rows
        assert all(type(row.depth) is int and isinstance(row.reasoning, str) for row in rows)
