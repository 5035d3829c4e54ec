"""The content store: every artifact once, under the SHA-256 of its bytes, in a folder or an S3-compatible store."""

from mgrd.store.folders import fetch_folder, store_folder
from mgrd.store.opening import open_store
from mgrd.store.port import Blob, ContentStore, StoreError

__all__ = ["Blob", "ContentStore", "StoreError", "fetch_folder", "open_store", "store_folder"]
