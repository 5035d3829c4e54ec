"""Uploads in parts: how an artifact is cut, and what a part must be to count.

Parts may come in any order and again; every part but the last has one size, so a client can resume by asking which
have arrived. Leaves storing and joining them to the use cases.
"""

from dataclasses import dataclass
from datetime import datetime

from services.kit.errors import FailedPrecondition, InvalidArgument

PART_SIZE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Upload:
    """An upload; `parts` maps the number of each part that has arrived to its SHA-256."""

    id: str
    size_bytes: int
    sha256: str
    creator: str
    expire_time: datetime
    complete: bool
    parts: dict[int, str]

    @property
    def name(self) -> str:
        """The resource name."""
        return f"uploads/{self.id}"

    @property
    def part_count(self) -> int:
        """How many parts the artifact is cut into; an empty artifact has one, empty, part."""
        return max(1, -(-self.size_bytes // PART_SIZE_BYTES))

    def part_size_bytes(self, part: int) -> int:
        """The size that part must have."""
        return min(PART_SIZE_BYTES, self.size_bytes - part * PART_SIZE_BYTES)

    @property
    def missing(self) -> list[int]:
        """Numbers of the parts that have not arrived."""
        return [part for part in range(self.part_count) if part not in self.parts]


def check_part(upload: Upload, *, part: int, content_bytes: int, sent_sha256: str, real_sha256: str) -> None:
    """Refuses a part that does not belong to the upload or did not arrive whole."""
    if not 0 <= part < upload.part_count:
        raise InvalidArgument(
            f"part {part} of {upload.name} does not exist; it has {upload.part_count}",
            field="part",
            reason="PART_RANGE",
        )
    wanted = upload.part_size_bytes(part)
    if content_bytes != wanted:
        raise InvalidArgument(
            f"part {part} has {content_bytes} bytes; it must have {wanted}", field="content", reason="PART_SIZE"
        )
    if sent_sha256 != real_sha256:
        raise InvalidArgument(
            f"part {part} does not have the SHA-256 it was sent with; send it again",
            field="sha256",
            reason="PART_DIGEST",
        )


def check_all_arrived(upload: Upload) -> None:
    """Refuses to complete an upload that lacks parts, and says which."""
    missing = upload.missing
    if missing:
        some = ", ".join(map(str, missing[:10])) + (", ..." if len(missing) > 10 else "")
        raise FailedPrecondition(
            f"{upload.name} lacks {len(missing)} of {upload.part_count} parts: {some}", reason="PARTS_MISSING"
        )
