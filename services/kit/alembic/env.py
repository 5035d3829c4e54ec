"""The Alembic environment all services share; `services.kit.migrations` runs it, no person does.

A lock of the database keeps two processes that start at once from migrating at once.
"""

from alembic import context
from sqlalchemy import create_engine, event, text

_LOCK = 7_246_331  # any number, the same for every process


def _run() -> None:
    engine = create_engine(context.config.attributes["database_url"], connect_args=_arguments())
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.configure(connection=connection, render_as_batch=engine.dialect.name == "sqlite")
        context.run_migrations()
    engine.dispose()


def _arguments() -> dict[str, object]:
    return {"timeout": 60} if context.config.attributes["database_url"].startswith("sqlite") else {}


_run()
