"""The one folder that holds a local platform's state, and how others find their way into it.

Promises one place that knows the folder's layout. Leaves what stands in each part to the part's owner; only the
platform's own record, `platform.json`, is read and written here.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mgrd.errors import MgrdError
from mgrd.files import write_whole

AREAS = ("features", "orchestrator", "registry", "inference")


@dataclass(frozen=True)
class ProcessRecord:
    """A process the supervisor keeps. The pid alone may be reused; pid and start time together are not."""

    name: str
    pid: int
    started_ticks: int
    """Start time in clock ticks since boot, as in /proc/<pid>/stat."""
    restarts: int = 0


@dataclass(frozen=True)
class PlatformRecord:
    """What is written in `platform.json`."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    """host:port by name of the service or port."""
    supervisor: ProcessRecord | None = None
    processes: tuple[ProcessRecord, ...] = ()
    kept_by: str = ""
    """Who else starts and stops it, such as "Docker Compose"; empty where `mgrd up` does."""


@dataclass(frozen=True)
class Home:
    """Paths below the platform's folder."""

    root: Path

    @property
    def record_file(self) -> Path:
        return self.root / "platform.json"

    @property
    def tokens(self) -> Path:
        return self.root / "tokens"

    @property
    def token_table(self) -> Path:
        return self.tokens / "table.json"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def databases(self) -> Path:
        return self.root / "databases"

    @property
    def store_url(self) -> str:
        return self.store.resolve().as_uri()

    def token_file(self, owner: str) -> Path:
        """File with the token of a person or a service."""
        path = self.tokens / f"{owner}.token"
        if not path.is_file():
            known = ", ".join(sorted(one.stem for one in self.tokens.glob("*.token"))) or "nobody; run `mgrd up` first"
            raise MgrdError(f"there is no token of {owner!r} in {self.tokens}; known: {known}", reason="NO_TOKEN")
        return path

    def read_record(self) -> PlatformRecord | None:
        """The platform's record; None where none was ever started here."""
        try:
            fields = json.loads(self.record_file.read_text())
        except FileNotFoundError:
            return None
        supervisor = fields["supervisor"]
        return PlatformRecord(
            addresses=fields["addresses"],
            supervisor=ProcessRecord(**supervisor) if supervisor else None,
            processes=tuple(ProcessRecord(**one) for one in fields["processes"]),
            kept_by=fields.get("kept_by", ""),
        )

    def write_record(self, record: PlatformRecord) -> None:
        """Replaces the record in one step."""
        write_whole(self.record_file, json.dumps(asdict(record), indent=2))


def default_home() -> Home:
    """MGRD_HOME, or `.mgrd` in the working directory."""
    return Home(Path(os.environ.get("MGRD_HOME") or ".mgrd").absolute())
