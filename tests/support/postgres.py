"""A real PostgreSQL for tests: a throw-away cluster on a free port, run as user postgres where we are root."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.requires import missing

_REMEDY = "apt-get install postgresql-15"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database that lives as long as the block."""
    binaries = _binaries()
    data, port = folder / "data", free_port()
    _make_ours(folder)
    _run(binaries / "initdb", "-D", data, "-U", "mgrd", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    _run(binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "server.log", "-w", "start")
    try:
        yield f"postgresql+psycopg://mgrd@127.0.0.1:{port}/postgres"
    finally:
        _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path is None and not installed:
        missing("PostgreSQL", _REMEDY)
    return (installed[-1] if installed else Path(on_path or "")).resolve().parent


def _make_ours(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    # The server's own user must be able to walk to the folder; pytest makes its parents private.
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o111)
    shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o700)


def _run(*command: object) -> None:
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(  # the server inherits no pipe, which it would hold open
        [str(part) for part in command],
        check=True,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        cwd="/",
        **user,
    )
