"""Set-up says what a machine lacks, with the command that mends it, before it touches anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as set-up reads, with nothing set up."""
    for part in ("tools/setup.sh", "requirements/all.lock"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / part, tmp_path / part)
    return tmp_path


def set_up(clone: Path, **commands: str) -> subprocess.CompletedProcess[str]:
    """Runs set-up where each of these commands prints what is given."""
    fakes = clone / "fakes"
    fakes.mkdir()
    for name, output in commands.items():
        (fakes / name).write_text(f"#!/bin/sh\nprintf '%b\\n' '{output}'\n")
        (fakes / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}"}
    return subprocess.run(
        [clone / "tools" / "setup.sh"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_full_disk_is_named_before_anything_is_made(clone: Path) -> None:
    done = set_up(clone, df="Filesystem 1M-blocks Used Available\\n/dev/x 10 5 512 50% /")
    assert done.returncode == 1
    assert "setup: Only 512 MB of disk are free here, 8000 are needed: free some" in done.stderr
    assert not (clone / ".venv").exists()


def test_everything_that_is_missing_is_said_at_once(clone: Path) -> None:
    done = set_up(clone, df="F 1M U A\\n/dev/x 10 5 512 50% /", uname="Plan9", getconf="glibc 2.31")
    lines = done.stderr.splitlines()
    assert [word for word in ("Linux", "x86_64", "glibc", "disk") if not any(word in line for line in lines)] == []
    assert all(line.startswith("setup: ") and ": " in line.removeprefix("setup: ") for line in lines)
