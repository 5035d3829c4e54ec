"""Whole checkpoint folders in and out of a content store."""

import os
import shutil
from pathlib import Path

from mgrd.manifest import Manifest, files_below, manifest_of, sha256_of
from mgrd.store.port import ContentStore, StoreError


def store_folder(store: ContentStore, folder: Path, *, front_end_version: str, architecture: str) -> Manifest:
    """Puts every file below `folder` into the store and returns the manifest of what was stored.

    Raises StoreError CONTENT_MISMATCH when a file changes meanwhile.
    """
    manifest = manifest_of(folder, front_end_version=front_end_version, architecture=architecture)
    for file in manifest.files:
        if store.put_file(folder / file.path) != file.sha256:
            raise StoreError(
                f"{folder / file.path} changed while it was stored; store it when its writer is done",
                reason="CONTENT_MISMATCH",
            )
    return manifest


def fetch_folder(store: ContentStore, manifest: Manifest, to: Path) -> Path:
    """Writes every file of `manifest`, checked, into the folder `to`, which appears whole or not at all.

    A folder that is there already is checked, taken as it is when it holds exactly these files, else replaced.
    """
    if to.is_dir():
        if _holds(to, manifest):
            return to
        shutil.rmtree(to)
    partial = to.with_name(f".{to.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for file in manifest.files:
            store.fetch(file.sha256, partial / file.path)
        partial.rename(to)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return to


def _holds(folder: Path, manifest: Manifest) -> bool:
    found = {path.relative_to(folder).as_posix() for path in files_below(folder)}
    return found == {file.path for file in manifest.files} and all(
        sha256_of(folder / file.path) == file.sha256 for file in manifest.files
    )
