"""Uploads in the database, and what the collector has marked as garbage."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from mgrd.store.port import Blob
from services.registry import tables
from services.registry.domain.uploads import Upload
from services.registry.domain.versions import VersionState

_UPLOAD = tables.uploads.c
_PART = tables.upload_parts.c
_CHUNK = 500  # stays below every database's limit of parameters


class UploadRecords:
    """Uploads by id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, upload: str) -> Upload | None:
        """The upload with the parts that have arrived, or None."""
        row = self._session.execute(select(tables.uploads).where(_UPLOAD.id == upload)).one_or_none()
        if row is None:
            return None
        parts = self._session.execute(
            select(_PART.part, _PART.sha256).where(_PART.upload == upload).order_by(_PART.part)
        )
        return _upload(row, {each.part: each.sha256 for each in parts})

    def add(self, upload: Upload) -> None:
        """Stores a new upload."""
        self._session.execute(
            insert(tables.uploads).values(
                id=upload.id,
                size_bytes=upload.size_bytes,
                sha256=upload.sha256,
                creator=upload.creator,
                expire_time=upload.expire_time,
                complete=upload.complete,
            )
        )

    def add_part(self, upload: Upload, *, part: int, sha256: str) -> None:
        """Stores that a part has arrived; a repeated part replaces the first."""
        key = (_PART.upload == upload.id, _PART.part == part)
        self._session.execute(delete(tables.upload_parts).where(*key))
        self._session.execute(insert(tables.upload_parts).values(upload=upload.id, part=part, sha256=sha256))

    def set_complete(self, upload: Upload) -> None:
        """Stores that the artifact is whole; its parts need no longer be kept."""
        self._session.execute(delete(tables.upload_parts).where(_PART.upload == upload.id))
        self._session.execute(update(tables.uploads).where(_UPLOAD.id == upload.id).values(complete=True))

    def remove_expired(self, now: datetime) -> None:
        """Forgets the uploads that were given up."""
        self._session.execute(delete(tables.uploads).where(_UPLOAD.expire_time <= now))


class GarbageRecords:
    """What is referenced, and the marks of what is not."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def referenced(self, *, now: datetime) -> set[str]:
        """SHA-256 of everything a version or a live upload needs."""
        files, versions, uploads, parts = tables.version_files, tables.versions, tables.uploads, tables.upload_parts
        live_upload = _UPLOAD.expire_time > now
        of_versions = (
            select(files.c.sha256)
            .join(versions, (versions.c.model == files.c.model) & (versions.c.number == files.c.number))
            .where(versions.c.state != VersionState.DELETED)
        )
        of_uploads = select(uploads.c.sha256).where(live_upload)
        of_parts = select(parts.c.sha256).join(uploads, _UPLOAD.id == _PART.upload).where(live_upload)
        return set(self._session.scalars(of_versions.union(of_uploads, of_parts)))

    def mark(self, blobs: Sequence[Blob], *, now: datetime) -> None:
        """Marks artifacts for removal. From the commit on, no version can be registered with them."""
        rows = [{"sha256": blob.sha256, "size_bytes": blob.size_bytes, "mark_time": now} for blob in blobs]
        if rows:
            self._session.execute(insert(tables.garbage), rows)

    def marked(self, among: Iterable[str] | None = None) -> set[str]:
        """The marked artifacts, all or those among the given."""
        column = tables.garbage.c.sha256
        if among is None:
            return set(self._session.scalars(select(column)))
        return {
            found
            for chunk in _chunks(list(among))
            for found in self._session.scalars(select(column).where(column.in_(chunk)))
        }

    def unmark(self, sha256: str) -> None:
        """Takes a mark away."""
        self._session.execute(delete(tables.garbage).where(tables.garbage.c.sha256 == sha256))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _upload(row: Row[Any], parts: dict[int, str]) -> Upload:
    return Upload(
        id=row.id,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        creator=row.creator,
        expire_time=row.expire_time,
        complete=row.complete,
        parts=parts,
    )
