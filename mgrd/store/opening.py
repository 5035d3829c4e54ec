"""From a store's URL to the store: `file:///absolute/folder` or `s3://bucket/prefix`."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from mgrd.store.folder import FolderStore
from mgrd.store.port import ContentStore, StoreError


def open_store(url: str) -> ContentStore:
    """The store behind `url`; raises StoreError UNKNOWN_STORE for any other form."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from mgrd.store.s3 import S3Store

        return S3Store(parts.netloc, prefix=parts.path)
    raise StoreError(
        f"{url!r} names no content store; write file:///absolute/folder or s3://bucket/prefix", reason="UNKNOWN_STORE"
    )
