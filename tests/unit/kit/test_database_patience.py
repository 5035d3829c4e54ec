"""A PostgreSQL that does not answer is given up on in seconds, not in the driver's two minutes."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from services.kit.database import Database
from services.kit.migrations import migrate
from services.kit.patience import patience

SOON_S = 30.0


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A database that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql+psycopg://mgrd@127.0.0.1:{server.getsockname()[1]}/registry"


def test_a_service_gives_up_on_a_silent_database(silent_url: str) -> None:
    started_s = time.monotonic()
    with pytest.raises(OperationalError, match="timeout"):
        Database(silent_url).engine.connect()
    assert time.monotonic() - started_s < SOON_S


def test_migrations_do_too_as_soon_as_the_url_says(silent_url: str) -> None:
    started_s = time.monotonic()
    with pytest.raises(OperationalError, match="timeout"):
        migrate(f"{silent_url}?connect_timeout=2", package="services.registry")
    assert time.monotonic() - started_s < SOON_S


def test_what_the_url_says_is_left_as_it_is(silent_url: str) -> None:
    assert "connect_timeout" not in patience(f"{silent_url}?connect_timeout=2")
    assert patience(silent_url)["connect_timeout"] > 0


def test_a_file_needs_no_patience(tmp_path: Path) -> None:
    assert patience(f"sqlite:///{tmp_path / 'registry.db'}") == {}
