"""The registry as a process of its own: it makes its database, serves, tells others, and ends when told."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrd.clients.connection import Connection
from mgrd.clients.registry import RegistryClient
from mgrd.store import open_store
from services.kit.events.bus import Delivery, open_bus
from services.kit.events.types import parse_body
from tests.support.ports import free_port
from tests.unit.registry.harness import CANDIDATE, MODEL, checkpoint

READY_WITHIN_S = 60.0


def environment(folder: Path, port: int) -> dict[str, str]:
    tokens = [
        {
            "sha256": hashlib.sha256(b"ana").hexdigest(),
            "subject": "ana",
            "kind": "person",
            "roles": ["author", "reader"],
        }
    ]
    (folder / "tokens.json").write_text(json.dumps({"tokens": tokens}))
    (folder / "ana.token").write_text("ana")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MGRD_")}
    return kept | {
        "MGRD_LISTEN": f"127.0.0.1:{port}",
        "MGRD_DATABASE_URL": f"sqlite:///{folder / 'registry.db'}",
        "MGRD_EVENTS_URL": f"sqlite:///{folder / 'events.db'}",
        "MGRD_STORE_URL": (folder / "store").as_uri(),
        "MGRD_TOKENS_FILE": str(folder / "tokens.json"),
        "MGRD_MIGRATE": "true",
    }


def started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.registry.main"], env=environment(folder, port), stderr=log, stdout=log
        )


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def registry(tmp_path: Path, port: int) -> Iterator[RegistryClient]:
    process = started(tmp_path, port)
    connection = Connection(
        f"127.0.0.1:{port}", token_file=tmp_path / "ana.token", timeout_s=READY_WITHIN_S, retry_for_s=READY_WITHIN_S
    )
    yield RegistryClient(connection)
    connection.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(READY_WITHIN_S) == 0, (tmp_path / "log").read_text()


def delivered(folder: Path, *, count: int) -> list[Delivery]:
    consumer = open_bus(f"sqlite:///{folder / 'events.db'}").consumer("test", ["mgrd.registry"])
    found: list[Delivery] = []
    deadline_s = time.monotonic() + READY_WITHIN_S
    while len(found) < count and time.monotonic() < deadline_s:
        found += consumer.poll(10, timeout_s=1.0)
    consumer.close()
    return found


def test_what_is_registered_is_kept_and_told(registry: RegistryClient, tmp_path: Path) -> None:
    registry.create_model("nano")
    version = registry.create_version(MODEL, manifest=checkpoint(open_store((tmp_path / "store").as_uri()), 1))
    registry.promote(CANDIDATE, version=version.name)
    told = [each.event for each in delivered(tmp_path, count=2)]
    assert [event.type for event in told] == ["mgrd.version.registered.v1", "mgrd.alias.moved.v1"]
    assert [event.subject for event in told] == [version.name, CANDIDATE]
    assert {event.source for event in told} == {"registry"}
    assert parse_body(told[1].type, told[1].data).version == version.name


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, port: int) -> None:
    first = started(tmp_path, port)
    connection = Connection(
        f"127.0.0.1:{port}", token_file=tmp_path / "ana.token", timeout_s=READY_WITHIN_S, retry_for_s=READY_WITHIN_S
    )
    registry = RegistryClient(connection)
    registry.create_model("nano")
    version = registry.create_version(MODEL, manifest=checkpoint(open_store((tmp_path / "store").as_uri()), 1))
    first.kill()
    first.wait()
    second = started(tmp_path, port)
    try:
        assert registry.get_version(version.name) == version
        assert registry.create_version(MODEL, manifest=version.manifest).name == version.name
        assert [each.event.type for each in delivered(tmp_path, count=1)] == ["mgrd.version.registered.v1"]
    finally:
        connection.close()
        second.terminate()
        second.wait(READY_WITHIN_S)


def test_a_misspelt_option_is_an_error(tmp_path: Path, port: int) -> None:
    wrong = environment(tmp_path, port) | {"MGRD_REGISTRY_GARBAGE_GRACE": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", "services.registry.main"], env=wrong, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "MGRD_REGISTRY_GARBAGE_GRACE" in ended.stderr
