"""Uploads: artifacts in parts, resumable, repeatable, in any order, checked part by part and whole.

Parts lie in the content store like any artifact, so every replica of the registry can go on with an upload; what is
left of them is the collector's. The heavy work happens outside the database's transaction: `receive_part` and
`join_parts` touch the store alone.
"""

import hashlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from mgrd.store.port import ContentStore, StoreError, checked_digest
from services.kit.errors import FailedPrecondition, InvalidArgument
from services.registry.domain.uploads import Upload, check_all_arrived, check_part
from services.registry.usecases.context import Context, absent

_BLOCK_BYTES = 1 << 20


def create_upload(ctx: Context, *, size_bytes: int, sha256: str, expires_after: timedelta, most_bytes: int) -> Upload:
    """Opens an upload, complete at once where the bytes are stored already."""
    _check_announced(size_bytes, sha256, most_bytes)
    upload = Upload(
        id=str(uuid.uuid4()),
        size_bytes=size_bytes,
        sha256=sha256,
        creator=ctx.caller.subject,
        expire_time=ctx.now + expires_after,
        complete=_is_stored(ctx, sha256, size_bytes),
        parts={},
    )
    ctx.uploads.add(upload)
    ctx.work.audit(upload.name, "upload.opened", sha256=sha256, size_bytes=size_bytes)
    return upload


def get_upload(ctx: Context, upload: str) -> Upload:
    """The upload, if it is the caller's and has not expired."""
    found = ctx.uploads.get(upload)
    if found is None or found.creator != ctx.caller.subject or found.expire_time <= ctx.now:
        raise absent(f"uploads/{upload}")
    return found


def receive_part(store: ContentStore, upload: Upload, *, part: int, content: bytes, sha256: str) -> str:
    """Checks a part and stores its bytes; returns their SHA-256."""
    real = hashlib.sha256(content).hexdigest()
    check_part(upload, part=part, content_bytes=len(content), sent_sha256=sha256, real_sha256=real)
    return store.put_bytes(content)


def record_part(ctx: Context, upload: str, *, part: int, sha256: str) -> Upload:
    """Records that a part has arrived."""
    found = get_upload(ctx, upload)
    if not found.complete:
        ctx.uploads.add_part(found, part=part, sha256=sha256)
    return get_upload(ctx, upload)


def join_parts(store: ContentStore, upload: Upload) -> None:
    """Joins the parts, checks the whole, stores it. Nothing to do where the bytes are there by another way."""
    check_all_arrived(upload)
    with _joined(store, upload) as (file, digest):
        if digest != upload.sha256:
            raise FailedPrecondition(
                f"the parts of {upload.name} have the SHA-256 {digest} and not {upload.sha256}; "
                "send the parts that differ again",
                reason="DIGEST_MISMATCH",
            )
        store.put_file(Path(file.name))


def record_completion(ctx: Context, upload: str) -> Upload:
    """Records that the artifact is stored."""
    found = get_upload(ctx, upload)
    if not found.complete:
        ctx.garbage.unmark(found.sha256)
        ctx.uploads.set_complete(found)
        ctx.work.audit(found.name, "artifact.stored", sha256=found.sha256, size_bytes=found.size_bytes)
    return get_upload(ctx, upload)


@contextmanager
def _joined(store: ContentStore, upload: Upload) -> Iterator[tuple[IO[bytes], str]]:
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile() as file:
        for part in range(upload.part_count):
            for block in _blocks(store, upload, part):
                digest.update(block)
                file.write(block)
        file.flush()
        yield file, digest.hexdigest()


def _blocks(store: ContentStore, upload: Upload, part: int) -> Iterator[bytes]:
    try:
        with store.open(upload.parts[part]) as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block
    except StoreError as error:
        raise FailedPrecondition(f"part {part} is gone; send it again", reason="PART_MISSING") from error


def _check_announced(size_bytes: int, sha256: str, most_bytes: int) -> None:
    if not 0 <= size_bytes <= most_bytes:
        raise InvalidArgument(f"size_bytes is {size_bytes}; artifacts have 0 to {most_bytes} bytes", field="size_bytes")
    try:
        checked_digest(sha256)
    except StoreError as error:
        raise InvalidArgument(str(error), field="sha256", reason=error.reason) from error


def _is_stored(ctx: Context, sha256: str, size_bytes: int) -> bool:
    if not ctx.store.exists(sha256):
        return False
    if ctx.garbage.marked([sha256]):
        return False
    stored = ctx.store.size_bytes(sha256)
    if stored != size_bytes:
        raise InvalidArgument(f"{sha256} has {stored} bytes and not {size_bytes}", field="size_bytes")
    return True
