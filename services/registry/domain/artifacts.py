"""What a version may be made of: which files, and what their first bytes must say.

Promises that nothing executable gets in: names outside a short list are refused, and so are pickles and
archives under a permitted name. A safetensors header is read whole and must describe exactly the bytes behind it:
known types, sizes that fit the shapes, no gap, no overlap. Leaves the values of the tensors (NaN) to whoever loads
them: the serving agent proves a version by a real request.
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from mgrd.manifest import Manifest
from services.kit.errors import InvalidArgument, shown

SUFFIXES = (".safetensors", ".json", ".jinja", ".txt", ".model")
HEADER_MOST_BYTES = 100_000_000
JSON_MOST_BYTES = 64 * 2**20
FILES_MOST = 1_000  # each is opened and checked while other writers wait
_PICKLE_OR_ARCHIVE = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf")
_PICKLE_PROTOCOLS = range(2, 6)
_DTYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64,
}  # fmt: skip


def check_names(manifest: Manifest) -> None:
    """Refuses a manifest whose paths no checkpoint folder could hold, or without weights and configuration."""
    if len(manifest.files) > FILES_MOST:
        raise _bad(f"the manifest names {len(manifest.files)} files; at most {FILES_MOST} are taken", "TOO_MANY_FILES")
    paths = [PurePosixPath(file.path) for file in manifest.files]
    for path in paths:
        if path.suffix not in SUFFIXES:
            raise _bad(
                f"{shown(str(path))} is not a kind of file a version may hold: {', '.join(SUFFIXES)}", "FILE_KIND"
            )
    if not any(path.suffix == ".safetensors" for path in paths) or PurePosixPath("config.json") not in paths:
        raise _bad("a version needs config.json and at least one .safetensors file", "FILES_INCOMPLETE")
    folded = {str(path).casefold() for path in paths}
    if len(folded) < len(paths) or any(str(up).casefold() in folded for path in paths for up in path.parents):
        raise _bad("two paths of the manifest would be the same file on some file systems", "PATHS_COLLIDE")


def check_content(path: str, *, stream: BinaryIO, size_bytes: int) -> None:
    """Refuses a file whose bytes are not what its name says."""
    suffix = PurePosixPath(path).suffix
    if suffix == ".safetensors":
        check_safetensors(path, stream=stream, size_bytes=size_bytes)
        return
    head = stream.read(8)
    if head.startswith(_PICKLE_OR_ARCHIVE) or _is_pickle(head):
        raise _bad(f"{path} is a pickle or an archive; save weights as safetensors", "PICKLE_REFUSED")
    if suffix == ".json":
        _check_json(path, head=head, stream=stream, size_bytes=size_bytes)


def check_safetensors(path: str, *, stream: BinaryIO, size_bytes: int) -> None:
    """Refuses a file whose header does not describe exactly the bytes behind it."""
    prefix = stream.read(8)
    if len(prefix) < 8:
        raise _bad(f"{path} has {size_bytes} bytes, too few for a safetensors header", "SAFETENSORS_HEADER")
    (header_bytes,) = struct.unpack("<Q", prefix)
    if header_bytes > min(HEADER_MOST_BYTES, size_bytes - 8):
        raise _bad(f"{path} announces a header of {header_bytes} bytes and has {size_bytes}", "SAFETENSORS_HEADER")
    tensors = _header(path, stream.read(header_bytes))
    spans = sorted(_span(path, name, tensor) for name, tensor in tensors.items() if name != "__metadata__")
    _check_spans(path, spans, data_bytes=size_bytes - 8 - header_bytes)


def _is_pickle(head: bytes) -> bool:
    return len(head) >= 2 and head[0] == 0x80 and head[1] in _PICKLE_PROTOCOLS


def _check_json(path: str, *, head: bytes, stream: BinaryIO, size_bytes: int) -> None:
    if size_bytes > JSON_MOST_BYTES:
        raise _bad(f"{path} has {size_bytes} bytes; at most {JSON_MOST_BYTES} are taken", "JSON_TOO_BIG")
    try:
        json.loads(head + stream.read())
    except (ValueError, RecursionError):
        raise _bad(f"{path} is not JSON", "JSON_INVALID") from None


def _header(path: str, text: bytes) -> Mapping[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise _bad(f"the safetensors header of {path} is not JSON with unique names", "SAFETENSORS_HEADER") from None
    if not isinstance(header, dict):
        raise _bad(f"the safetensors header of {path} is not an object", "SAFETENSORS_HEADER")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _span(path: str, name: str, tensor: Any) -> tuple[int, int]:
    try:
        dtype, shape, (start, end) = tensor["dtype"], tensor["shape"], tensor["data_offsets"]
        whole = all(type(each) is int and each >= 0 for each in (*shape, start, end))
        fits = whole and end - start == math.prod(shape) * _DTYPE_BITS[dtype] // 8
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise _bad(f"tensor {shown(name)} of {path} has a type, shape or size that cannot be", "SAFETENSORS_TENSOR")
    return start, end


def _check_spans(path: str, spans: list[tuple[int, int]], *, data_bytes: int) -> None:
    at = 0
    for start, end in spans:
        if start != at:
            raise _bad(f"tensors of {path} overlap or leave a gap at byte {min(start, at)}", "SAFETENSORS_OVERLAP")
        at = end
    if at != data_bytes:
        raise _bad(f"{path} holds {data_bytes} bytes of tensors and describes {at}", "SAFETENSORS_SIZE")


def _bad(message: str, reason: str) -> InvalidArgument:
    return InvalidArgument(message, field="manifest.files", reason=reason)
