"""tools/issue_tokens: what the chart's pods mount is there, and tells the services who calls."""

import argparse
import sys
from pathlib import Path

import pytest

from services.kit.auth import TokenTable
from tests.support.charts import SECURED, pods, rendered
from tools.issue_tokens import main, person


@pytest.fixture
def issued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    folder = tmp_path / "tokens"
    monkeypatch.setattr(sys, "argv", ["issue_tokens", str(folder), "--person", "eva=reader+author"])
    main()
    return folder, capsys.readouterr().out


def test_every_file_that_a_pod_mounts_is_made_and_goes_into_the_secret(issued: tuple[Path, str]) -> None:
    folder, said = issued
    wanted = {
        item["key"]
        for _, pod in pods(rendered(SECURED))
        for volume in pod["spec"].get("volumes", [])
        if volume.get("secret", {}).get("secretName") == "our-tokens"
        for item in volume["secret"]["items"]
    }
    assert "test.token" in wanted
    assert not [name for name in wanted if not (folder / name).is_file() or f"--from-file={folder / name}" not in said]
    assert "eva.token" not in said


def test_the_table_knows_services_and_people(issued: tuple[Path, str]) -> None:
    folder, _ = issued
    table = TokenTable.load(folder / "table.json")

    def of(name: str) -> str:
        return f"Bearer {(folder / f'{name}.token').read_text()}"

    assert table.caller(of("eva")).roles == {"reader", "author"}
    assert table.caller(of("eva")).is_person
    assert table.caller(of("test")).roles == {"reader"}
    assert table.caller(of("steps")).roles == {"reader", "step"}
    assert not any(path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()])


def test_tokens_stay_when_it_is_called_again(issued: tuple[Path, str]) -> None:
    folder, _ = issued
    before = {path.name: path.read_bytes() for path in folder.glob("*.token")}
    main()
    assert {path.name: path.read_bytes() for path in folder.glob("*.token")} == before


@pytest.mark.parametrize("wrong", ["eva", "eva=root", "eva=step", "Eva=reader", "registry=reader"])
def test_who_is_nobody_is_refused(wrong: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        person(wrong)
