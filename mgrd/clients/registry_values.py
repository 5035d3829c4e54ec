"""What the registry speaks of: models, versions, evaluations, gates, aliases, promotions, audit records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mgrd.manifest import Manifest


class VersionState(StrEnum):
    """State of a version."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Comparison(StrEnum):
    """How a gate compares a metric."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    AT_LEAST_CURRENT_PLUS = "at_least_current_plus"
    """At least that of the version now behind the alias, plus the threshold."""


@dataclass(frozen=True)
class Requirement:
    """One evaluation a gate demands."""

    suite: str
    metric: str
    comparison: Comparison
    threshold: float
    evaluators: tuple[str, ...] = ()
    """Whose results count; empty means any service account."""


@dataclass(frozen=True)
class Gate:
    """What an alias demands of a version."""

    requirements: tuple[Requirement, ...] = ()
    approvals: int = 0
    """From people other than the version's author."""
    smoke_required: bool = False


@dataclass(frozen=True)
class Alias:
    """A name for a version in use."""

    name: str
    version: str
    """Empty before the first promotion."""
    digest: str
    gate: Gate
    etag: str
    """Changes with every move; give it to `promote` to act on what you saw."""
    update_time: datetime | None


@dataclass(frozen=True)
class Model:
    """A model and its aliases."""

    name: str
    description: str
    create_time: datetime | None
    creator: str
    aliases: tuple[Alias, ...]


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from."""

    run: str = ""
    step: str = ""
    parent: str = ""
    data_digest: str = ""
    code_commit: str = ""


@dataclass(frozen=True)
class Version:
    """An immutable version of a model."""

    name: str
    digest: str
    manifest: Manifest
    state: VersionState
    lineage: tuple[Lineage, ...]
    author: str
    create_time: datetime | None
    aliases: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Evaluation:
    """A measured result; name, evaluator and time are set by the registry."""

    suite: str
    metrics: Mapping[str, float]
    data_digest: str = ""
    name: str = ""
    evaluator: str = ""
    create_time: datetime | None = field(default=None)


@dataclass(frozen=True)
class Approval:
    """Somebody's consent to a version behind an alias."""

    version: str
    alias: str
    approver: str
    comment: str
    create_time: datetime | None


@dataclass(frozen=True)
class Promotion:
    """One move of an alias."""

    name: str
    version: str
    digest: str
    previous_version: str
    actor: str
    reason: str
    create_time: datetime | None
    rollback: bool
    approvers: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """A promotion and the alias after it."""

    promotion: Promotion
    alias: Alias


@dataclass(frozen=True)
class AuditRecord:
    """One thing that happened."""

    sequence: int
    resource: str
    action: str
    actor: str
    create_time: datetime | None
    details: Mapping[str, str]
    trace_id: str


@dataclass(frozen=True)
class Upload:
    """A resumable upload of one artifact."""

    name: str
    size_bytes: int
    sha256: str
    part_size_bytes: int
    parts: tuple[int, ...]
    """Numbers of the parts that have arrived, from 0."""
    complete: bool
    expire_time: datetime | None


@dataclass(frozen=True)
class Garbage:
    """Artifacts that went, or would go."""

    sha256: tuple[str, ...]
    freed_bytes: int
