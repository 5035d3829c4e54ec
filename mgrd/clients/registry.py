"""Client of the registry: versions, uploads, evaluations, approvals, aliases and their history."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from mgrd.clients.codec import read, write
from mgrd.clients.connection import Connection
from mgrd.clients.paging import every
from mgrd.clients.registry_values import (
    Alias,
    Approval,
    AuditRecord,
    Evaluation,
    Garbage,
    Gate,
    Lineage,
    Model,
    Moved,
    Promotion,
    Upload,
    Version,
    VersionState,
)
from mgrd.clients.request_ids import given_or_new
from mgrd.manifest import Manifest, sha256_of
from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1.registry_pb2_grpc import RegistryServiceStub


class RegistryClient:
    """One method per RPC, and `upload`. A `request_id` makes a repeated call return the first one's result."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = RegistryServiceStub(connection.channel)

    # Models

    def create_model(self, model_id: str, *, description: str = "", request_id: str | None = None) -> Model:
        """Creates a model; AlreadyExistsError where the id is taken."""
        request = pb.CreateModelRequest(model_id=model_id, description=description, request_id=given_or_new(request_id))
        return read(Model, self._connection.unary(self._stub.CreateModel, request).model)

    def get_model(self, name: str) -> Model:
        """One model with its aliases, by `models/{model}`."""
        return read(Model, self._connection.unary(self._stub.GetModel, pb.GetModelRequest(name=name)).model)

    def list_models(self, *, page_size: int = 0) -> Iterator[Model]:
        """Models by name."""

        def page(token: str) -> Any:
            request = pb.ListModelsRequest(page_size=page_size, page_token=token)
            return self._connection.unary(self._stub.ListModels, request)

        return every(Model, page, field="models")

    # Uploads

    def upload(self, path: Path) -> str:
        """Stores a file's bytes, sending only the parts that are missing; returns their SHA-256."""
        upload = self.create_upload(size_bytes=path.stat().st_size, sha256=sha256_of(path))
        with path.open("rb") as file:
            for part in _missing_parts(upload):
                file.seek(part * upload.part_size_bytes)
                self.upload_part(upload.name, part=part, content=file.read(upload.part_size_bytes))
        return (upload if upload.complete else self.complete_upload(upload.name)).sha256

    def create_upload(self, *, size_bytes: int, sha256: str, request_id: str | None = None) -> Upload:
        """Opens an upload; complete at once where the bytes are known."""
        request = pb.CreateUploadRequest(size_bytes=size_bytes, sha256=sha256, request_id=given_or_new(request_id))
        return read(Upload, self._connection.unary(self._stub.CreateUpload, request).upload)

    def upload_part(self, name: str, *, part: int, content: bytes) -> Upload:
        """Sends one part; parts may be repeated and come in any order."""
        sha256 = hashlib.sha256(content).hexdigest()
        request = pb.UploadPartRequest(name=name, part=part, content=content, sha256=sha256)
        return read(Upload, self._connection.unary(self._stub.UploadPart, request).upload)

    def complete_upload(self, name: str) -> Upload:
        """Joins the parts, checks them, stores the artifact."""
        request = pb.CompleteUploadRequest(name=name)
        return read(Upload, self._connection.unary(self._stub.CompleteUpload, request).upload)

    def get_upload(self, name: str) -> Upload:
        """Which parts have arrived."""
        return read(Upload, self._connection.unary(self._stub.GetUpload, pb.GetUploadRequest(name=name)).upload)

    # Versions

    def create_version(
        self,
        parent: str,
        *,
        manifest: Manifest,
        lineage: Lineage | None = None,
        description: str = "",
        request_id: str | None = None,
    ) -> Version:
        """Registers a version of `models/{model}`; the same digest returns the same version."""
        request = pb.CreateVersionRequest(
            parent=parent,
            manifest=write(pb.Manifest, manifest),
            lineage=write(pb.Lineage, lineage) if lineage else None,
            description=description,
            request_id=given_or_new(request_id),
        )
        return read(Version, self._connection.unary(self._stub.CreateVersion, request).version)

    def get_version(self, name: str) -> Version:
        """One version, by `models/{model}/versions/{version}`."""
        return read(Version, self._connection.unary(self._stub.GetVersion, pb.GetVersionRequest(name=name)).version)

    def list_versions(self, parent: str, *, state: VersionState | None = None, page_size: int = 0) -> Iterator[Version]:
        """Versions of a model, newest first; without `state` all but deleted ones."""
        number = pb.VersionState.Value(f"VERSION_STATE_{(state or 'unspecified').upper()}")

        def page(token: str) -> Any:
            request = pb.ListVersionsRequest(parent=parent, page_size=page_size, page_token=token, state=number)
            return self._connection.unary(self._stub.ListVersions, request)

        return every(Version, page, field="versions")

    def archive_version(self, name: str, *, request_id: str | None = None) -> Version:
        """Keeps a version that no alias points at from being promoted."""
        request = pb.ArchiveVersionRequest(name=name, request_id=given_or_new(request_id))
        return read(Version, self._connection.unary(self._stub.ArchiveVersion, request).version)

    def delete_version(self, name: str, *, request_id: str | None = None) -> Version:
        """Deletes an archived version; its record stays."""
        request = pb.DeleteVersionRequest(name=name, request_id=given_or_new(request_id))
        return read(Version, self._connection.unary(self._stub.DeleteVersion, request).version)

    # Evaluations and approvals

    def create_evaluation(self, parent: str, *, evaluation: Evaluation, request_id: str | None = None) -> Evaluation:
        """Records an evaluation of a version; the evaluator is the caller."""
        request = pb.CreateEvaluationRequest(
            parent=parent, evaluation=write(pb.Evaluation, evaluation), request_id=given_or_new(request_id)
        )
        return read(Evaluation, self._connection.unary(self._stub.CreateEvaluation, request).evaluation)

    def list_evaluations(self, parent: str, *, page_size: int = 0) -> Iterator[Evaluation]:
        """Evaluations of a version, newest first."""

        def page(token: str) -> Any:
            request = pb.ListEvaluationsRequest(parent=parent, page_size=page_size, page_token=token)
            return self._connection.unary(self._stub.ListEvaluations, request)

        return every(Evaluation, page, field="evaluations")

    def create_approval(
        self, version: str, *, alias: str, comment: str = "", request_id: str | None = None
    ) -> Approval:
        """Approves a version for `models/{model}/aliases/{alias}`; not allowed to its author."""
        request = pb.CreateApprovalRequest(
            version=version, alias=alias, comment=comment, request_id=given_or_new(request_id)
        )
        return read(Approval, self._connection.unary(self._stub.CreateApproval, request).approval)

    # Aliases

    def set_gate(self, alias: str, *, gate: Gate, request_id: str | None = None) -> Alias:
        """Sets what an alias demands; makes the alias where it does not exist."""
        request = pb.SetGateRequest(alias=alias, gate=write(pb.Gate, gate), request_id=given_or_new(request_id))
        return read(Alias, self._connection.unary(self._stub.SetGate, request).alias)

    def promote(
        self,
        alias: str,
        *,
        version: str,
        reason: str = "",
        etag: str = "",
        validate_only: bool = False,
        request_id: str | None = None,
    ) -> Moved:
        """Points an alias at a version. FailedPreconditionError lists every violation of its gate."""
        request = pb.PromoteRequest(
            alias=alias,
            version=version,
            reason=reason,
            etag=etag,
            validate_only=validate_only,
            request_id=given_or_new(request_id),
        )
        return read(Moved, self._connection.unary(self._stub.Promote, request))

    def rollback(self, alias: str, *, reason: str = "", etag: str = "", request_id: str | None = None) -> Moved:
        """Points an alias back at the version before."""
        request = pb.RollbackRequest(alias=alias, reason=reason, etag=etag, request_id=given_or_new(request_id))
        return read(Moved, self._connection.unary(self._stub.Rollback, request))

    def get_alias(self, name: str, *, read_time: datetime | None = None) -> Alias:
        """One alias, as it is or as it was at `read_time` (aware)."""
        request = pb.GetAliasRequest(name=name)
        if read_time is not None:
            request.read_time.FromDatetime(read_time)
        return read(Alias, self._connection.unary(self._stub.GetAlias, request).alias)

    def list_aliases(self, parent: str, *, page_size: int = 0) -> Iterator[Alias]:
        """Aliases of a model, or with `models/-` of all models."""

        def page(token: str) -> Any:
            request = pb.ListAliasesRequest(parent=parent, page_size=page_size, page_token=token)
            return self._connection.unary(self._stub.ListAliases, request)

        return every(Alias, page, field="aliases")

    def list_promotions(self, parent: str, *, page_size: int = 0) -> Iterator[Promotion]:
        """Who pointed an alias where, when and why; newest first."""

        def page(token: str) -> Any:
            request = pb.ListPromotionsRequest(parent=parent, page_size=page_size, page_token=token)
            return self._connection.unary(self._stub.ListPromotions, request)

        return every(Promotion, page, field="promotions")

    # Accounting

    def list_audit_records(self, resource: str = "", *, page_size: int = 0) -> Iterator[AuditRecord]:
        """What happened to a resource and those below it, newest first."""

        def page(token: str) -> Any:
            request = pb.ListAuditRecordsRequest(resource=resource, page_size=page_size, page_token=token)
            return self._connection.unary(self._stub.ListAuditRecords, request)

        return every(AuditRecord, page, field="records")

    def collect_garbage(self, *, validate_only: bool = False, request_id: str | None = None) -> Garbage:
        """Removes artifacts nothing refers to; with `validate_only` says which."""
        request = pb.CollectGarbageRequest(validate_only=validate_only, request_id=given_or_new(request_id))
        return read(Garbage, self._connection.unary(self._stub.CollectGarbage, request))


def _missing_parts(upload: Upload) -> list[int]:
    if upload.complete:
        return []
    count = max(1, -(-upload.size_bytes // upload.part_size_bytes))
    return sorted(set(range(count)) - set(upload.parts))
