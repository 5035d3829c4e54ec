"""What a version of a model consists of, and the digest that is its identity.

Promises that equal content gives an equal digest on every machine: files are ordered by path and the JSON is
canonical (sorted keys, no spaces, ASCII). Promises that every path stays inside its folder. Leaves storing the
files to `mgrd.store`, and the rules about which kinds of file a version may hold to the registry.
"""

import hashlib
import itertools
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mgrd.errors import MgrdError

FORMAT_VERSION = 1
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PATH = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")
_PATH_LENGTH_MAX = 255
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK_BYTES = 1 << 20


class ManifestError(MgrdError):
    """A manifest that cannot be: reasons BAD_PATH, BAD_DIGEST, BAD_SIZE, DUPLICATE_PATH, NO_FILES, BAD_MANIFEST."""


@dataclass(frozen=True)
class ManifestFile:
    """One file of a version."""

    path: str
    """Relative to the version's folder, with forward slashes."""
    size_bytes: int
    sha256: str
    """Lower-case hexadecimal."""

    def __post_init__(self) -> None:
        if len(self.path) > _PATH_LENGTH_MAX or not _PATH.fullmatch(self.path):
            raise ManifestError(
                f"path {self.path[:80]!r} is not allowed; use relative paths of letters, digits, '.', '_' and '-'",
                reason="BAD_PATH",
            )
        if not _SHA256.fullmatch(self.sha256):
            raise ManifestError(
                f"{self.sha256[:80]!r} (of {self.path}) is not a SHA-256 in lower-case hexadecimal", reason="BAD_DIGEST"
            )
        if self.size_bytes < 0:
            raise ManifestError(f"size {self.size_bytes} of {self.path} is negative", reason="BAD_SIZE")


@dataclass(frozen=True)
class Manifest:
    """The files of a version and what is needed to run them."""

    files: tuple[ManifestFile, ...]
    """Ordered by path, whatever the order they were given in."""
    front_end_version: str
    """Version of the front end the checkpoint was trained with."""
    architecture: str
    """As in the checkpoint's configuration, "mgrd_audio_lm"."""
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.files, key=lambda file: file.path))
        if not ordered:
            raise ManifestError("a manifest needs at least one file", reason="NO_FILES")
        for one, next_one in itertools.pairwise(ordered):
            if one.path == next_one.path:
                raise ManifestError(f"path {one.path!r} stands twice in the manifest", reason="DUPLICATE_PATH")
        object.__setattr__(self, "files", ordered)

    @property
    def digest(self) -> str:
        """The version's identity, "sha256:<hex>" over the canonical JSON."""
        return "sha256:" + hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self.files)

    def to_json(self) -> str:
        """The canonical form that the digest is taken over."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def manifest_from_json(text: str) -> Manifest:
    """Reads what `to_json` wrote; raises ManifestError BAD_MANIFEST for anything else."""
    try:
        fields: dict[str, Any] = json.loads(text)
        files = tuple(ManifestFile(**file) for file in fields.pop("files"))
        return Manifest(files=files, **fields)
    except (json.JSONDecodeError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ManifestError(f"this is not a manifest: {error}", reason="BAD_MANIFEST") from error


def manifest_of(folder: Path, *, front_end_version: str, architecture: str) -> Manifest:
    """The manifest of every file below `folder`. Links are refused: what they point at may change or lie outside."""
    files = tuple(
        ManifestFile(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size, sha256=sha256_of(path))
        for path in files_below(folder)
    )
    return Manifest(files=files, front_end_version=front_end_version, architecture=architecture)


def files_below(folder: Path) -> list[Path]:
    """Every file below `folder`, in the order of its path; raises ManifestError BAD_PATH for a link."""
    paths = sorted(folder.rglob("*"))
    for path in paths:
        if path.is_symlink():
            raise ManifestError(f"{path} is a link; put the file itself there", reason="BAD_PATH")
    return [path for path in paths if path.is_file()]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
