"""The migrated schema is the one the code speaks of, and history cannot be rewritten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from services.kit.migrations import migrate
from services.registry.tables import METADATA
from tests.unit.registry.harness import empty_database, postgres_in_a_folder_of_its_own


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_in_a_folder_of_its_own() as server, empty_database(server, "registry") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'registry.db'}" if sqlite else request.getfixturevalue("postgres")
    migrate(url, package="services.registry")
    engine = create_engine(url)
    with engine.connect() as found:
        yield found
    engine.dispose()


def test_migrations_and_tables_agree(connection: Connection) -> None:
    differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert differences == []


def test_migrating_again_changes_nothing(connection: Connection) -> None:
    migrate(connection.engine.url.render_as_string(hide_password=False), package="services.registry")
    assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


MODEL = "INSERT INTO models VALUES ('m', '', 'ana', '2026-01-01 00:00:00', 0)"
ALIAS = "INSERT INTO aliases VALUES ('m', 'production', NULL, 1, '2026-01-01 00:00:00')"
GATE = (
    "INSERT INTO gates (model, alias, gate, revision, setter, create_time) "
    "VALUES ('m', 'production', '{}', 1, 'ana', '2026-01-01 00:00:00')"
)


@pytest.mark.parametrize("change", ["UPDATE gates SET setter = 'eve'", "DELETE FROM gates"])
def test_history_cannot_be_rewritten(connection: Connection, change: str) -> None:
    for statement in (MODEL, ALIAS, GATE):
        connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(change))


@pytest.mark.parametrize("table", ["promotions", "gates", "evaluations", "audit"])
def test_every_table_of_history_is_guarded(connection: Connection, table: str) -> None:
    catalogue = (
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        if connection.dialect.name == "sqlite"
        else "SELECT count(*) FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal"
    )
    assert connection.execute(text(catalogue), {"table": table}).scalar_one() >= 1
