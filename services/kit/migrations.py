"""Brings a service's database to the newest schema: `migrate(url, package="services.registry")`.

    python -m services.kit.migrations services.registry     a one-shot; the database is MGRD_DATABASE_URL

Promises one shared Alembic environment (no env.py per service), one migration at a time, and no import of Alembic
where the database is already at the head. A database that a newer release has migrated is left as it is: migrations
expand first, so this release's code works on it. Leaves the versions to `<package>/migrations/versions`.
"""

import argparse
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from services.kit.patience import patience

_ENVIRONMENT = Path(__file__).parent / "alembic"
_REVISION = re.compile(r"""^(?P<name>down_revision|revision)\b[^=]*=\s*["'](?P<value>[^"']+)["']""", re.MULTILINE)

_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


class MigrationError(ValueError):
    """The package's migrations cannot be used."""

    reason = "MIGRATIONS_INVALID"


def migrate(database_url: str, *, package: str) -> None:
    """Upgrades the database to the package's newest version; does nothing where it is there already, or beyond."""
    versions = _versions_folder(package)
    engine = create_engine(database_url, connect_args=patience(database_url))
    try:
        if _is_behind(engine, versions):
            _upgrade(database_url, versions)
    finally:
        engine.dispose()


def schema_check(engine: Engine, *, package: str) -> Callable[[], None]:
    """A readiness check: raises until the database has the schema of the package's newest version."""
    versions = _versions_folder(package)
    is_there = False

    def check() -> None:
        nonlocal is_there
        if not is_there and _is_behind(engine, versions):
            raise MigrationError(f"the database lacks the schema of {package}; run its migrations")
        is_there = True

    return check


def _is_behind(engine: Engine, versions: Path) -> bool:
    current, head = _current(engine), _head(versions)
    known = {fields["revision"] for fields in _revisions(versions)}
    return current is None or (current != head and current in known)


def _versions_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MigrationError(f"there is no package {package!r}")
    return Path(spec.origin).parent / "migrations" / "versions"


def _head(versions: Path) -> str:
    found = _revisions(versions)
    parents = {fields.get("down_revision") for fields in found}
    heads: list[str] = [fields["revision"] for fields in found if fields["revision"] not in parents]
    if len(heads) != 1:
        raise MigrationError(f"{versions} has the heads {heads}; there must be exactly one")
    return heads[0]


def _revisions(versions: Path) -> list[dict[str, str]]:
    found = [dict(_REVISION.findall(path.read_text())) for path in sorted(versions.glob("*.py"))]
    return [fields for fields in found if "revision" in fields]


def _current(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found


def _upgrade(database_url: str, versions: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _literal(_ENVIRONMENT))
    config.set_main_option("version_locations", _literal(versions))
    config.set_main_option("path_separator", "newline")
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")


def _literal(path: Path) -> str:
    """A path as an Alembic option, where a percent sign would begin an interpolation."""
    return str(path).replace("%", "%%")


def main() -> None:
    """Entry point: waits for the database, at most MGRD_WAIT_S seconds (120), and migrates it."""
    parser = argparse.ArgumentParser(description="Brings a service's database to its newest schema.")
    parser.add_argument("package", help="such as services.registry")
    package: str = parser.parse_args().package
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    url = os.environ.get("MGRD_DATABASE_URL", "")
    if not url:
        sys.exit("migrations: MGRD_DATABASE_URL must be set")
    give_up_s = time.monotonic() + float(os.environ.get("MGRD_WAIT_S", "120"))
    while True:
        try:
            migrate(url, package=package)
        except OperationalError as error:
            if time.monotonic() > give_up_s:
                sys.exit(f"migrations: the database does not answer: {error.orig}")
            _log.info("waiting for the database: %s", error.orig)
            time.sleep(_AGAIN_S)
        else:
            _log.info("the database has the schema of %s", package)
            return


if __name__ == "__main__":
    main()
