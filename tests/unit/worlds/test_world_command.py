"""The command writes clips and questions that belong together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import soundfile

FIELDS = {"id", "audio", "question", "answer", "choices", "kind", "depth", "domain", "transcript"}


def written(out: Path, seed: int) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "model.worlds", "--count", "6", "--seed", str(seed)]
    subprocess.run([*command, "--out", str(out)], check=True, timeout=120)
    return [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]


def test_rows_point_at_clips_and_a_seed_decides_them(tmp_path: Path) -> None:
    rows = written(tmp_path / "a", 1)
    assert len(rows) == 6
    assert all(set(row) == FIELDS for row in rows)
    for row in rows:
        sound = soundfile.info(tmp_path / "a" / str(row["audio"]))
        assert (sound.samplerate, sound.channels) == (16_000, 1)
    assert rows == written(tmp_path / "b", 1)
    assert rows != written(tmp_path / "c", 2)
