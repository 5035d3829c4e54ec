"""Tokens, callers and the policy."""

import hashlib
import json
from pathlib import Path

import pytest

from services.kit.auth import Caller, TokenTable, authorize, calling_as, current_caller
from services.kit.errors import PermissionDenied, Unauthenticated

ADA = Caller(subject="ada", kind="person", roles=frozenset({"author"}))


def _write(
    path: Path, *, token: str = "secret", subject: str = "ada", kind: str = "person", roles: object = ("author",)
) -> None:
    row = {"sha256": hashlib.sha256(token.encode()).hexdigest(), "subject": subject, "kind": kind, "roles": roles}
    path.write_text(json.dumps({"tokens": [row]}))


def test_a_known_token_names_its_owner(tmp_path: Path) -> None:
    _write(tmp_path / "t.json")
    assert TokenTable.load(tmp_path / "t.json").caller("Bearer secret") == ADA


@pytest.mark.parametrize("header", ["", "secret", "Basic secret", "Bearer ", "Bearer wrong", "Bearer sécret\udcff"])
def test_anything_else_is_unauthenticated_and_not_repeated(tmp_path: Path, header: str) -> None:
    _write(tmp_path / "t.json")
    with pytest.raises(Unauthenticated) as refused:
        TokenTable.load(tmp_path / "t.json").caller(header)
    assert "secret" not in refused.value.message
    assert "wrong" not in refused.value.message


def test_a_changed_table_is_seen_and_a_vanished_one_stays_valid(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    _write(path)
    table = TokenTable.load(path)
    _write(tmp_path / "new.json", token="another", subject="grace")
    (tmp_path / "new.json").replace(path)
    assert table.caller("bearer another").subject == "grace"
    with pytest.raises(Unauthenticated):
        table.caller("Bearer secret")
    path.unlink()
    assert table.caller("Bearer another").subject == "grace"


@pytest.mark.parametrize("broken", ["{", "[]", '{"tokens": [{"sha256": "x"}]}'])
def test_a_change_that_cannot_be_read_changes_nothing_and_is_logged(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "t.json"
    _write(path)
    table = TokenTable.load(path)
    path.write_text(broken)
    assert table.caller("Bearer secret") == ADA
    assert table.caller("Bearer secret") == ADA
    assert len(caplog.records) == 1
    _write(path, token="another")
    assert table.caller("Bearer another") == ADA


@pytest.mark.parametrize("wrong", [{"roles": ["root"]}, {"kind": "robot"}, {"roles": "author"}])
def test_a_table_with_an_unknown_role_or_kind_is_refused(tmp_path: Path, wrong: dict) -> None:
    _write(tmp_path / "t.json", **wrong)
    with pytest.raises(ValueError, match="ada"):
        TokenTable.load(tmp_path / "t.json")


def test_a_method_without_a_policy_entry_is_nobodys() -> None:
    policy = {"/s/Known": frozenset({"author"})}
    authorize(ADA, method="/s/Known", policy=policy)
    with pytest.raises(PermissionDenied, match="nobody"):
        authorize(ADA, method="/s/Unknown", policy=policy)
    with pytest.raises(PermissionDenied, match="approver"):
        authorize(ADA, method="/s/Other", policy={"/s/Other": frozenset({"approver"})})


def test_there_is_a_current_caller_only_within_a_call() -> None:
    with calling_as(ADA):
        assert current_caller() == ADA
    with pytest.raises(Unauthenticated):
        current_caller()
