"""The port of the content store, and what every adapter of it shares.

Promises that bytes are named by their SHA-256, appear whole or not at all, and are checked whenever they are
fetched. Putting what is already there stores nothing but renews its `stored_at`, so that a garbage collector with a
grace period never removes what somebody has just relied on. Leaves deciding what may be deleted to the registry.
"""

import hashlib
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mgrd.errors import MgrdError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK_BYTES = 1 << 20


class StoreError(MgrdError):
    """Reasons BLOB_NOT_FOUND, BAD_DIGEST, CONTENT_MISMATCH, UNKNOWN_STORE."""


@dataclass(frozen=True)
class Blob:
    """One stored artifact."""

    sha256: str
    size_bytes: int
    stored_at: datetime
    """When it was last put; aware, UTC."""


class ContentStore(ABC):
    """Bytes by the SHA-256 of their content. Safe to use from several threads and processes at once."""

    @abstractmethod
    def put_file(self, path: Path) -> str:
        """Stores a file's bytes and returns their SHA-256."""

    @abstractmethod
    def open(self, sha256: str) -> BinaryIO:
        """A stream of the bytes, not yet checked against the digest; raises StoreError BLOB_NOT_FOUND."""

    @abstractmethod
    def exists(self, sha256: str) -> bool:
        """Whether these bytes are stored."""

    @abstractmethod
    def size_bytes(self, sha256: str) -> int:
        """Their size; raises StoreError BLOB_NOT_FOUND."""

    @abstractmethod
    def delete(self, sha256: str) -> bool:
        """Removes them; False where they were not there."""

    @abstractmethod
    def iterate(self) -> Iterator[Blob]:
        """Everything stored, by digest."""

    def put_bytes(self, content: bytes) -> str:
        """Stores `content` and returns its SHA-256."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            return self.put_file(Path(file.name))

    def read_bytes(self, sha256: str) -> bytes:
        """The bytes, checked; for small artifacts."""
        with self.open(sha256) as stream:
            content = stream.read()
        check_content(sha256, hashlib.sha256(content).hexdigest())
        return content

    def fetch(self, sha256: str, to: Path) -> None:
        """Writes the bytes to `to`, checked; `to` appears whole or not at all, its folder is made where missing."""
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f".{to.name}.{os.getpid()}.partial")
        try:
            with self.open(sha256) as stream, partial.open("wb") as file:
                check_content(sha256, copy_hashed(stream, file))
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)


def checked_digest(sha256: str) -> str:
    """The digest itself when it is one. It becomes part of a path, so nothing else may pass."""
    if not _SHA256.fullmatch(sha256):
        raise StoreError(
            f"{sha256[:80]!r} is not a SHA-256 in lower-case hexadecimal, without a 'sha256:' in front",
            reason="BAD_DIGEST",
        )
    return sha256


def check_content(sha256: str, found: str) -> None:
    """Raises StoreError CONTENT_MISMATCH where the bytes are not those that were asked for."""
    if found != sha256:
        raise StoreError(
            f"the store holds other bytes under {sha256} (their SHA-256 is {found}); delete them and store them anew",
            reason="CONTENT_MISMATCH",
        )


def not_found(sha256: str) -> StoreError:
    """The error for bytes that are not stored."""
    return StoreError(f"{sha256} is not in the content store; put it there first", reason="BLOB_NOT_FOUND")


def copy_hashed(source: BinaryIO, target: BinaryIO) -> str:
    """Copies all bytes to durable storage and returns their SHA-256."""
    digest = hashlib.sha256()
    while block := source.read(_BLOCK_BYTES):
        digest.update(block)
        target.write(block)
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()
