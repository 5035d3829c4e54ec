"""Brings a service's database to the newest schema: `migrate(url, package="services.registry")`.

Promises one shared Alembic environment (no env.py per service), one migration at a time, and no import of Alembic
where the database is already at the head. Leaves the versions to `<package>/migrations/versions`.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, text

_ENVIRONMENT = Path(__file__).parent / "alembic"
_REVISION = re.compile(r"""^(?P<name>down_revision|revision)\b[^=]*=\s*["'](?P<value>[^"']+)["']""", re.MULTILINE)


class MigrationError(ValueError):
    """The package's migrations cannot be used."""

    reason = "MIGRATIONS_INVALID"


def migrate(database_url: str, *, package: str) -> None:
    """Upgrades the database to the package's newest version; does nothing where it is there already."""
    versions = _versions_folder(package)
    engine = create_engine(database_url)
    try:
        if _current(engine) != _head(versions):
            _upgrade(database_url, versions)
    finally:
        engine.dispose()


def _versions_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MigrationError(f"there is no package {package!r}")
    return Path(spec.origin).parent / "migrations" / "versions"


def _head(versions: Path) -> str:
    found = [dict(_REVISION.findall(path.read_text())) for path in sorted(versions.glob("*.py"))]
    parents = {fields.get("down_revision") for fields in found}
    heads: list[str] = [
        fields["revision"] for fields in found if "revision" in fields and fields["revision"] not in parents
    ]
    if len(heads) != 1:
        raise MigrationError(f"{versions} has the heads {heads}; there must be exactly one")
    return heads[0]


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
