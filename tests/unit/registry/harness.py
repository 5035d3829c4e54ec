"""A real registry in this process: server, database, folder store, and one client per caller."""

import hashlib
import io
import json
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from google.protobuf.message import Message
from sqlalchemy import create_engine, select, text

from mgrd.clients.connection import Connection
from mgrd.clients.registry import RegistryClient
from mgrd.clients.registry_values import Evaluation, Version
from mgrd.manifest import Manifest, ManifestFile
from mgrd.store import Blob, ContentStore, open_store
from services.kit.auth import Caller, TokenTable
from services.kit.database import Database, UnitOfWork
from services.kit.events.types import parse_body
from services.kit.migrations import migrate
from services.kit.server import in_process
from services.kit.tables import KIT
from services.registry.main import registered
from services.registry.policy import POLICY
from services.registry.settings import RegistrySettings
from services.registry.transactions import Transactions
from tests.support.postgres import postgres_server

MODEL = "models/nano"
CANDIDATE = f"{MODEL}/aliases/candidate"
PRODUCTION = f"{MODEL}/aliases/production"
GOOD = {"accuracy": 0.8, "claims_supported": 0.9}

CALLERS = {
    "ana": ("person", {"author"}),
    "ben": ("person", {"approver", "reader"}),
    "cem": ("person", {"approver", "author"}),
    "olga": ("person", {"operator"}),
    "rita": ("person", {"reader"}),
    "trainer": ("service", {"step"}),
    "triton": ("service", {"agent"}),
}


STARTERS = {"runs/of-cem": "cem"}
"""Who started which run, as an orchestrator would say."""


@dataclass
class Platform:
    """The registry and what lies behind it."""

    address: str
    database: Database
    store: ContentStore
    settings: RegistrySettings
    folder: Path
    connections: dict[str, Connection] = field(default_factory=dict)

    def connection(self, caller: str) -> Connection:
        """A connection with this caller's token."""
        if caller not in self.connections:
            token = self.folder / f"{caller}.token"
            token.write_text(f"token-of-{caller}")
            self.connections[caller] = Connection(self.address, token_file=token, retry_for_s=0.0)
        return self.connections[caller]

    def by(self, caller: str) -> RegistryClient:
        """The typed client as this caller."""
        return RegistryClient(self.connection(caller))

    def events(self) -> list[Message]:
        """Every event written so far, in order."""
        with self.database.unit_of_work(read_only=True) as work:
            return written_events(work)

    def manifest(self, seed: int = 0, **changes: Any) -> Manifest:
        """A small checkpoint in the store, another for every seed."""
        return checkpoint(self.store, seed, **changes)

    def version(self, seed: int = 0, *, author: str = "trainer") -> Version:
        """A registered version with this content."""
        return self.by(author).create_version(MODEL, manifest=self.manifest(seed))

    def evaluate(self, version: Version, metrics: Mapping[str, float] = GOOD, *, by: str = "trainer") -> None:
        """A held-out result."""
        self.by(by).create_evaluation(
            version.name, evaluation=Evaluation(suite="heldout", metrics=metrics, data_digest="sha256:d")
        )

    def prove(self, version: Version, *, passed: bool = True) -> None:
        """The serving agent's proof."""
        self.by("triton").create_evaluation(
            version.name, evaluation=Evaluation(suite="smoke", metrics={"passed": float(passed)})
        )

    def ready(self, seed: int, *, approver: str = "ben") -> Version:
        """A version that passes the default gate of production."""
        version = self.version(seed)
        self.evaluate(version)
        self.prove(version)
        self.by(approver).create_approval(version.name, alias=PRODUCTION)
        return version


class MemoryStore(ContentStore):
    """A content store in memory."""

    def __init__(self) -> None:
        self._blobs: dict[str, tuple[bytes, datetime]] = {}

    def put_file(self, path: Path) -> str:
        return self.put_bytes(path.read_bytes())

    def put_bytes(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self._blobs[sha256] = content, datetime.now(UTC)
        return sha256

    def open(self, sha256: str) -> BinaryIO:
        return io.BytesIO(self._blobs[sha256][0])

    def exists(self, sha256: str) -> bool:
        return sha256 in self._blobs

    def size_bytes(self, sha256: str) -> int:
        return len(self._blobs[sha256][0])

    def delete(self, sha256: str) -> bool:
        return self._blobs.pop(sha256, None) is not None

    def iterate(self) -> Iterator[Blob]:
        for sha256, (content, stored_at) in sorted(self._blobs.items()):
            yield Blob(sha256, len(content), stored_at)


def checkpoint(store: ContentStore, seed: int, **changes: Any) -> Manifest:
    """Puts a small checkpoint into a store, another for every seed."""
    files = {"config.json": b'{"model_type": "mgrd_audio_lm"}', "model.safetensors": weights(seed)}
    described = tuple(ManifestFile(path, len(each), store.put_bytes(each)) for path, each in files.items())
    return Manifest(**({"files": described, "front_end_version": "fe/1", "architecture": "mgrd_audio_lm"} | changes))


def written_events(work: UnitOfWork) -> list[Message]:
    """Every event in the outbox, in order."""
    query = select(KIT.outbox.c.type, KIT.outbox.c.data).order_by(KIT.outbox.c.seq)
    return [parse_body(row.type, row.data) for row in work.session.execute(query)]


def weights(seed: int) -> bytes:
    """A safetensors file of one number."""
    header = json.dumps({"a": {"dtype": "I32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<i", seed)


def tokens() -> TokenTable:
    """Everybody's tokens."""
    return TokenTable.of(
        {
            f"token-of-{subject}": Caller(subject=subject, kind=kind, roles=frozenset(roles))
            for subject, (kind, roles) in CALLERS.items()
        }
    )


@contextmanager
def running(
    folder: Path, *, database_url: str = "", store: ContentStore | None = None, fresh: bool = True, **settings: Any
) -> Iterator[Platform]:
    """A registry that lives as long as the block, with the model `nano`, which it makes where it is `fresh`."""
    url = database_url or f"sqlite:///{folder / 'registry.db'}"
    migrate(url, package="services.registry")
    database, store = Database(url), store or open_store((folder / "store").as_uri())
    chosen = RegistrySettings(**settings)
    server, port = in_process(
        register=registered(Transactions(database, store), chosen, run_starter=lambda run: STARTERS.get(run, "")),
        policy=POLICY,
        tokens=tokens(),
        settings=chosen,
    )
    platform = Platform(f"127.0.0.1:{port}", database, store, chosen, folder)
    try:
        if fresh:
            platform.by("ana").create_model("nano")
        yield platform
    finally:
        for connection in platform.connections.values():
            connection.close()
        server.stop(None).wait()
        database.close()


@contextmanager
def postgres_in_a_folder_of_its_own() -> Iterator[str]:
    """A server outside pytest's folders, whose permissions another pytest of this machine resets as it starts."""
    with tempfile.TemporaryDirectory(prefix="mgrd-registry-") as folder, postgres_server(Path(folder)) as url:
        yield url


@contextmanager
def empty_database(server_url: str, name: str) -> Iterator[str]:
    """A database of its own on a PostgreSQL server; the URL of it."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    yield server_url.rpartition("/")[0] + f"/{name}"
