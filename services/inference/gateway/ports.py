"""What the gateway needs of the world, and the values it deals in. Adapters: features over gRPC, Tritons, directory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mgrd.common.v1.common_pb2 import Descriptor, Evidence
from services.inference.domain import Alias, Route
from services.inference.triton.protocol import Ask, Event, MelFrames


@dataclass(frozen=True)
class Heard:
    """A clip as the model hears it."""

    mel: MelFrames
    front_end_version: str
    duration_s: float


@dataclass(frozen=True)
class Measured:
    """A clip as the instruments hear it."""

    descriptors: tuple[Descriptor, ...]
    duration_s: float


class Features(Protocol):
    """The features service. Failures are `CallError`s."""

    def extract(self, audio: bytes, *, front_end_version: str, timeout_s: float) -> Heard: ...

    def describe(self, audio: bytes, *, timeout_s: float) -> Measured: ...

    def verify(self, audio: bytes, *, text: str, timeout_s: float) -> Sequence[Evidence]: ...


class Reply(Iterator[Event], Protocol):
    """A running reply of a Triton; TritonError where it fails."""

    def cancel(self) -> None: ...


class Tritons(Protocol):
    """The Tritons by replica name."""

    def ask(self, replica: str, model: str, *, ask: Ask, mel: MelFrames, timeout_s: float) -> Reply: ...


class Directory(Protocol):
    """Who answers for an alias."""

    def alias(self, name: str) -> Alias:
        """The alias; NotFound where there is none."""
        ...

    def route(self, alias: Alias) -> Route | None:
        """Who holds a version of it ready, now; None while nobody does."""
        ...
