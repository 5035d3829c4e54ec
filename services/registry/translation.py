"""Between the registry's messages and its values, both ways. No rules beyond "this message is not a value"."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from mgrd.errors import MgrdError
from mgrd.manifest import Manifest, ManifestFile
from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.store.port import Blob
from services.kit.errors import InvalidArgument
from services.registry.domain.aliases import Alias, Approval, Promotion, alias_name
from services.registry.domain.gates import Comparison, Evaluation, Gate, Requirement
from services.registry.domain.uploads import PART_SIZE_BYTES, Upload
from services.registry.domain.versions import Lineage, Model, Version, VersionState, version_name
from services.registry.usecases.audit import AuditRecord
from services.registry.usecases.promotions import Move

_LINEAGE = ("run", "step", "parent", "data_digest", "code_commit")


def timestamp(time: datetime) -> Timestamp:
    """A time as a message."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def time_of(message: Timestamp, *, field: str) -> datetime:
    """A message as an aware time; InvalidArgument where it is out of range."""
    try:
        time: datetime = message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(f"{field} is no time between the years 1 and 9999", field=field) from None
    return time


def manifest_of(message: pb.Manifest) -> Manifest:
    """The manifest in a request; InvalidArgument names what is wrong with it."""
    try:
        files = tuple(ManifestFile(file.path, file.size_bytes, file.sha256) for file in message.files)
        return Manifest(
            files=files,
            front_end_version=message.front_end_version,
            architecture=message.architecture,
            format_version=message.format_version,
        )
    except MgrdError as error:
        raise InvalidArgument(str(error), field="manifest.files", reason=error.reason) from error


def lineage_of(message: pb.Lineage) -> Lineage:
    """One origin."""
    return Lineage(**{field: getattr(message, field) for field in _LINEAGE})


def state_of(value: int, *, field: str) -> VersionState | None:
    """A state, None where it is unspecified."""
    if value == pb.VERSION_STATE_UNSPECIFIED:
        return None
    return VersionState(_enum_text(pb.VersionState, value, "VERSION_STATE_", field))


def gate_of(message: pb.Gate) -> Gate:
    """A gate in a request."""
    requirements = tuple(_requirement_of(each, index) for index, each in enumerate(message.requirements))
    return Gate(requirements=requirements, approvals=message.approvals, smoke_required=message.smoke_required)


def model_message(model: Model, aliases: Iterable[Alias]) -> pb.Model:
    """A model with its aliases."""
    return pb.Model(
        name=model.name,
        description=model.description,
        create_time=timestamp(model.create_time),
        creator=model.creator,
        aliases=map(alias_message, aliases),
    )


def version_message(version: Version) -> pb.Version:
    """A version."""
    return pb.Version(
        name=version.name,
        digest=version.digest,
        manifest=_manifest_message(version.manifest),
        state=pb.VersionState.Value(f"VERSION_STATE_{version.state}"),
        lineage=[pb.Lineage(**{field: getattr(each, field) for field in _LINEAGE}) for each in version.lineage],
        author=version.author,
        create_time=timestamp(version.create_time),
        aliases=[alias_name(version.model, alias) for alias in version.aliases],
        description=version.description,
    )


def evaluation_message(evaluation: Evaluation) -> pb.Evaluation:
    """An evaluation."""
    return pb.Evaluation(
        name=evaluation.name,
        suite=evaluation.suite,
        metrics=evaluation.metrics,
        data_digest=evaluation.data_digest,
        evaluator=evaluation.evaluator,
        create_time=timestamp(evaluation.create_time),
    )


def approval_message(approval: Approval) -> pb.Approval:
    """An approval."""
    return pb.Approval(
        version=version_name(approval.model, approval.number),
        alias=alias_name(approval.model, approval.alias),
        approver=approval.approver,
        comment=approval.comment,
        create_time=timestamp(approval.create_time),
    )


def alias_message(alias: Alias) -> pb.Alias:
    """An alias with its gate."""
    return pb.Alias(
        name=alias.name,
        version=alias.version,
        digest=alias.digest,
        gate=_gate_message(alias.gate),
        etag=alias.etag,
        update_time=timestamp(alias.update_time),
    )


def promotion_message(promotion: Promotion) -> pb.Promotion:
    """A promotion."""
    return pb.Promotion(
        name=promotion.name,
        version=promotion.version,
        digest=promotion.digest,
        previous_version=promotion.previous_version,
        actor=promotion.actor,
        reason=promotion.reason,
        create_time=timestamp(promotion.create_time),
        rollback=promotion.rollback,
        approvers=promotion.approvers,
    )


def promoted(move: Move) -> pb.PromoteResponse:
    """What Promote answers."""
    return pb.PromoteResponse(promotion=promotion_message(move.promotion), alias=alias_message(move.alias))


def rolled_back(move: Move) -> pb.RollbackResponse:
    """What Rollback answers."""
    return pb.RollbackResponse(promotion=promotion_message(move.promotion), alias=alias_message(move.alias))


def upload_message(upload: Upload) -> pb.Upload:
    """An upload and the parts that have arrived."""
    return pb.Upload(
        name=upload.name,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        part_size_bytes=PART_SIZE_BYTES,
        parts=sorted(upload.parts),
        complete=upload.complete,
        expire_time=timestamp(upload.expire_time),
    )


def collected(blobs: Sequence[Blob]) -> pb.CollectGarbageResponse:
    """What a collection removes, or would remove."""
    return pb.CollectGarbageResponse(
        sha256=[blob.sha256 for blob in blobs], freed_bytes=sum(blob.size_bytes for blob in blobs)
    )


def audit_message(record: AuditRecord) -> pb.AuditRecord:
    """One thing that happened."""
    return pb.AuditRecord(
        sequence=record.sequence,
        resource=record.resource,
        action=record.action,
        actor=record.actor,
        create_time=timestamp(record.create_time),
        details=record.details,
        trace_id=record.trace_id,
    )


def _manifest_message(manifest: Manifest) -> pb.Manifest:
    return pb.Manifest(
        format_version=manifest.format_version,
        files=[
            pb.ManifestFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256) for file in manifest.files
        ],
        front_end_version=manifest.front_end_version,
        architecture=manifest.architecture,
    )


def _gate_message(gate: Gate) -> pb.Gate:
    return pb.Gate(
        requirements=[
            pb.Requirement(
                suite=each.suite,
                metric=each.metric,
                comparison=pb.Comparison.Value(f"COMPARISON_{each.comparison}"),
                threshold=each.threshold,
                evaluators=each.evaluators,
            )
            for each in gate.requirements
        ],
        approvals=gate.approvals,
        smoke_required=gate.smoke_required,
    )


def _requirement_of(message: pb.Requirement, index: int) -> Requirement:
    field = f"gate.requirements[{index}].comparison"
    return Requirement(
        suite=message.suite,
        metric=message.metric,
        comparison=Comparison(_enum_text(pb.Comparison, message.comparison, "COMPARISON_", field)),
        threshold=message.threshold,
        evaluators=tuple(message.evaluators),
    )


def _enum_text(enum: type[pb.Comparison] | type[pb.VersionState], value: int, prefix: str, field: str) -> str:
    known: dict[int, str] = {number: name for name, number in enum.items() if number}
    if value not in known:
        raise InvalidArgument(f"{field} is {value}; use one of {', '.join(known.values())}", field=field)
    return known[value].removeprefix(prefix)
