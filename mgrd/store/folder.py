"""The content store in a folder: `<root>/<first two digits>/<sha256>`.

Promises that a crash at any moment leaves no half-written artifact under a digest: bytes go to a file of their own,
are flushed to disk, then take their name in one step. Leaves abandoned partial files to `sweep_partials`.
"""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from mgrd.store.port import Blob, ContentStore, checked_digest, copy_hashed, not_found

_PARTIALS = "partial"


class FolderStore(ContentStore):
    """A content store below `root`, which is made where missing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        (root / _PARTIALS).mkdir(parents=True, exist_ok=True)

    def put_file(self, path: Path) -> str:
        with path.open("rb") as source, self._partial() as partial:
            try:
                sha256 = copy_hashed(source, partial)
                self._keep(Path(partial.name), sha256)
            finally:
                Path(partial.name).unlink(missing_ok=True)
        return sha256

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise not_found(sha256) from None

    def exists(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    def size_bytes(self, sha256: str) -> int:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise not_found(sha256) from None

    def delete(self, sha256: str) -> bool:
        try:
            self._path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def iterate(self) -> Iterator[Blob]:
        for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/*")):
            try:
                status = path.stat()
            except FileNotFoundError:  # deleted since the listing
                continue
            yield Blob(path.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def sweep_partials(self, *, older_than: datetime) -> int:
        """Removes what crashed writers left behind; returns how many files went."""
        old = [p for p in (self._root / _PARTIALS).iterdir() if p.stat().st_mtime < older_than.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _keep(self, partial: Path, sha256: str) -> None:
        path = self._path(sha256)
        path.parent.mkdir(exist_ok=True)
        partial.chmod(0o444)
        partial.replace(path)  # over equal bytes it renews the time, which is what a repeated put promises
        _sync_folder(path.parent)

    def _partial(self) -> BinaryIO:
        return cast(BinaryIO, tempfile.NamedTemporaryFile(dir=self._root / _PARTIALS, delete=False))

    def _path(self, sha256: str) -> Path:
        return self._root / checked_digest(sha256)[:2] / sha256


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
