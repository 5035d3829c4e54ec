"""What the agent needs of the world. Adapters: registry over gRPC, content store, Triton, its own database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mgrd.manifest import Manifest
from services.inference.domain import State, Version


@dataclass(frozen=True)
class Desired:
    """A version some alias wants, or that is kept so that a rollback is a switch."""

    version: Version
    manifest: Manifest
    aliases: tuple[str, ...]


class Registry(Protocol):
    """What should be served; the only source of it."""

    def desired(self) -> Sequence[Desired]:
        """Every version to hold, most urgent first. Raises on a registry that does not answer."""
        ...

    def record_smoke(self, version: Version, *, passed: bool, replica: str) -> None:
        """Records the evaluation "smoke" of a version, once per replica and outcome."""
        ...


class Artifacts(Protocol):
    """The files of versions."""

    def fetch(self, manifest: Manifest, to: Path) -> None:
        """Writes the files into `to`, each checked against its SHA-256."""
        ...


class Triton(Protocol):
    """The part of the Triton client the agent uses; names are Triton's."""

    def loaded(self) -> frozenset[str]: ...

    def load(self, model: str, *, timeout_s: float) -> None: ...

    def unload(self, model: str, *, timeout_s: float = ...) -> None: ...


class Prover(Protocol):
    """Asks a loaded version a real question."""

    def prove(self, model: str, *, front_end_version: str, timeout_s: float) -> None:
        """Returns if a clip and a question got a whole reply; TritonError otherwise."""
        ...

    def probe(self, model: str, *, timeout_s: float) -> None:
        """The smallest real inference: one token; TritonError where the model does not answer."""
        ...


class Reporter(Protocol):
    """What the agent tells: a row in its status table and an event, in one transaction."""

    def report(self, version: Version, *, state: State, aliases: Iterable[str] = (), message: str = "") -> None:
        """Records the state; READY and FAILED are also published."""
        ...

    def forget(self, version: Version) -> None:
        """Removes a version that was unloaded, and says so."""
        ...
