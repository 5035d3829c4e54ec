"""tools/backup.sh on a real PostgreSQL and the real S3 store: saved, destroyed, restored, and everything is there.

The script speaks to pods through kubectl. Here the pods are processes of this machine, and a stand-in for kubectl runs
in them what the script wants run.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from mgrd.store import fetch_folder
from mgrd.store.bucket import ensure_bucket
from mgrd.store.s3 import S3Store
from services.kit.database import Database
from services.kit.migrations import migrate
from services.orchestrator.adapters.runs import Runs
from services.orchestrator.domain import ExecutorKind, Run, RunSpec, RunState
from tests.support.postgres import postgres_server
from tests.support.versitygw import versitygw
from tests.unit.registry.harness import CANDIDATE, Platform, running

SCRIPT = Path(__file__).parents[2] / "tools" / "backup.sh"
SERVICES = ("registry", "orchestrator", "inference")
KUBECTL = """#!/usr/bin/env bash
set -euo pipefail
shift 2  # --namespace NAME
verb=$1; shift
echo "$verb $*" >>"$POD_LOG"
case $verb in
    exec)
        pod=$2; shift 3  # --stdin POD --
        command=("$@")
        case $pod in
            mgrd-postgres-0) exec "${command[@]//\\/tmp/$POSTGRES_SOCKET}" ;;
            mgrd-store-0) exec "${command[@]//\\/data/$STORE_DATA}" ;;
        esac
        exit 9 ;;
    get) echo 2 ;;
esac
"""


class Pods:
    """The stores of a release, as processes of this machine."""

    def __init__(self, folder: Path, *, postgres: str, sockets: Path, s3: Any) -> None:
        self.folder = folder
        self.url = postgres.rpartition("/")[0]
        self.sockets = sockets
        self.store = S3Store("mgrd", prefix="artifacts", client=s3)

    def database(self, service: str) -> str:
        """The URL of a service's database, as that service."""
        return f"{self.url.replace('mgrd@', f'{service}@')}/{service}"

    def backup(self, verb: str, *, into: Path) -> subprocess.CompletedProcess[str]:
        """tools/backup.sh with the stand-in for kubectl."""
        shim = self.folder / "bin" / "kubectl"
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(KUBECTL)
        shim.chmod(0o755)
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        environment = {
            "PATH": ":".join(map(str, [shim.parent, *binaries[-1:], os.environ["PATH"]])),
            "PGPORT": self.url.rpartition(":")[2],
            "POSTGRES_SOCKET": str(self.sockets),
            "STORE_DATA": str(self.folder / "data"),
            "POD_LOG": str(self.folder / "kubectl.log"),
        }
        command = [SCRIPT, verb, "ns", "mgrd", into]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table of every service, as text."""
        found = {}
        for service in SERVICES:
            engine = create_engine(self.database(service))
            with engine.connect() as connection:
                tables = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
                for (table,) in connection.execute(tables).all():
                    query = text(f'SELECT t::text FROM "{table}" t ORDER BY 1')
                    found[f"{service}.{table}"] = [row[0] for row in connection.execute(query)]
            engine.dispose()
        return found

    def artifacts(self) -> dict[str, bytes]:
        """Every content of the store."""
        return {blob.sha256: self.store.read_bytes(blob.sha256) for blob in self.store.iterate()}


@contextmanager
def release(folder: Path) -> Iterator[Pods]:
    """Fresh, empty stores with a database and a role for each service, as the chart's Secret makes them."""
    (folder / "data").mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory(prefix="mgrd-backup-") as sockets,
        postgres_server(Path(sockets)) as url,
        versitygw(folder / "data") as s3,
    ):
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE ROLE postgres SUPERUSER LOGIN"))
            for service in SERVICES:
                connection.execute(text(f"CREATE ROLE {service} LOGIN"))
                connection.execute(text(f"CREATE DATABASE {service} OWNER {service}"))
        engine.dispose()
        ensure_bucket("s3://mgrd/artifacts", client=s3, wait_s=30)
        yield Pods(folder, postgres=url, sockets=Path(sockets), s3=s3)


def used(pods: Pods) -> str:
    """Migrates, registers, evaluates, promotes, starts a run; the name of the promoted version."""
    for service in SERVICES:
        migrate(pods.database(service), package=f"services.{service}")
    with registry(pods) as platform:
        version = platform.ready(1)
        platform.by("ana").promote(CANDIDATE, version=version.name)
        platform.version(2)
    now = datetime.now(UTC)
    spec = RunSpec(model="nano", base_version="", parameters={"rl_steps": 3}, executor=ExecutorKind.LOCAL, data="")
    database = Database(pods.database("orchestrator"))
    with database.unit_of_work() as work:
        Runs(work.session).add(
            Run(id="r1", spec=spec, state=RunState.RUNNING, creator="ana", create_time=now, update_time=now)
        )
        work.commit()
    database.close()
    return version.name


@contextmanager
def registry(pods: Pods, *, fresh: bool = True) -> Iterator[Platform]:
    """The registry on the release's stores."""
    with running(pods.folder, database_url=pods.database("registry"), store=pods.store, fresh=fresh) as platform:
        yield platform


def test_what_was_saved_is_there_after_everything_was_lost(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with release(tmp_path / "first") as pods:
        promoted = used(pods)
        rows, artifacts = pods.rows(), pods.artifacts()
        done = pods.backup("save", into=saved)
        assert done.returncode == 0, done.stderr
    assert len(artifacts) == 3  # two checkpoints with one configuration
    assert {table for table, found in rows.items() if found} >= {"registry.versions", "orchestrator.runs"}
    with release(tmp_path / "second") as pods:
        done = pods.backup("restore", into=saved)
        assert done.returncode == 0, done.stderr
        assert pods.rows() == rows
        assert pods.artifacts() == artifacts
        with registry(pods, fresh=False) as platform:
            (alias,) = [one for one in platform.by("rita").get_model("models/nano").aliases if one.name == CANDIDATE]
            assert alias.version == promoted
            version = platform.by("rita").get_version(promoted)
            fetch_folder(pods.store, version.manifest, tmp_path / "checkpoint")
            assert platform.version(3).name == "models/nano/versions/3"
    assert (tmp_path / "checkpoint" / "model.safetensors").is_file()


def test_a_restore_goes_back_and_the_services_stand_still_meanwhile(tmp_path: Path) -> None:
    with release(tmp_path) as pods:
        used(pods)
        rows = pods.rows()
        assert pods.backup("save", into=tmp_path / "saved").returncode == 0
        with registry(pods, fresh=False) as platform:
            platform.by("ana").create_model("after")
        assert pods.rows() != rows
        done = pods.backup("restore", into=tmp_path / "saved")
        assert done.returncode == 0, done.stderr
        assert pods.rows() == rows
    log = (tmp_path / "kubectl.log").read_text().splitlines()
    scaled = [number for number, line in enumerate(log) if line.startswith("scale")]
    restored = [number for number, line in enumerate(log) if "pg_restore" in line or "--extract" in line]
    assert log[scaled[0]].endswith("--replicas 0")
    assert scaled[0] < min(restored) <= max(restored) < scaled[1]
    assert all(log[number].endswith("--replicas 2") for number in scaled[1:])
    assert len(scaled) == 5


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    with release(tmp_path) as pods:
        used(pods)
        saved = tmp_path / "saved"
        assert pods.backup("save", into=saved).returncode == 0
        assert saved.stat().st_mode & 0o077 == 0
        (saved / "registry.dump").write_bytes(b"damaged")
        rows = pods.rows()
        done = pods.backup("restore", into=saved)
        assert done.returncode != 0
        assert "registry.dump" in done.stdout + done.stderr
        assert pods.rows() == rows


@pytest.mark.parametrize("arguments", [[], ["save"], ["destroy", "ns", "mgrd", "x"]])
def test_who_asks_wrongly_is_told_how(arguments: list[str]) -> None:
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "tools/backup.sh save NAMESPACE RELEASE FOLDER" in done.stderr
