"""Files of versions from the content store, every one verified."""

from pathlib import Path

from mgrd.manifest import Manifest
from mgrd.store import ContentStore, fetch_folder


class StoredArtifacts:
    """A content store as the agent's source of files."""

    def __init__(self, store: ContentStore) -> None:
        self._store = store

    def fetch(self, manifest: Manifest, to: Path) -> None:
        """Writes the files of `manifest` into `to`; StoreError where one is missing or altered."""
        fetch_folder(self._store, manifest, to)
