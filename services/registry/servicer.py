"""The registry over gRPC: each method turns names into ids, runs its use case in a transaction, answers."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import grpc

from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1.registry_pb2_grpc import RegistryServiceServicer
from services.kit.names import check_id
from services.kit.paging import Key, Page, read_page
from services.registry import names
from services.registry import translation as to
from services.registry.collector import sweep_all
from services.registry.domain.aliases import Alias
from services.registry.domain.gates import Evaluation
from services.registry.domain.uploads import Upload
from services.registry.settings import RegistrySettings
from services.registry.transactions import Transactions
from services.registry.usecases import audit, evaluations, garbage, gates, models, promotions, uploads, versions
from services.registry.usecases.context import Context, absent

Row = TypeVar("Row")


class RegistryServicer(RegistryServiceServicer):
    """Implements `mgrd.registry.v1.RegistryService`."""

    def __init__(
        self, transactions: Transactions, settings: RegistrySettings, *, run_starter: Callable[[str], str]
    ) -> None:
        self._transactions = transactions
        self._run_starter = run_starter
        self._settings = settings
        self._default_gates = settings.default_gates()

    # Models

    def CreateModel(self, request: pb.CreateModelRequest, _: grpc.ServicerContext) -> pb.CreateModelResponse:
        model_id = check_id(request.model_id, field="model_id")

        def act(ctx: Context) -> pb.CreateModelResponse:
            model = models.create_model(
                ctx, model_id=model_id, description=request.description, default_gates=self._default_gates
            )
            return pb.CreateModelResponse(model=to.model_message(model, ctx.aliases.of_model(model.id)))

        return self._transactions.write_once("CreateModel", request, act)

    def GetModel(self, request: pb.GetModelRequest, _: grpc.ServicerContext) -> pb.GetModelResponse:
        model_id = names.model_of(request.name, field="name")

        def act(ctx: Context) -> pb.GetModelResponse:
            return pb.GetModelResponse(model=to.model_message(ctx.model(model_id), ctx.aliases.of_model(model_id)))

        return self._transactions.read(act)

    def ListModels(self, request: pb.ListModelsRequest, _: grpc.ServicerContext) -> pb.ListModelsResponse:
        page = read_page(request.page_size, request.page_token, filters=["ListModels"])

        def act(ctx: Context) -> pb.ListModelsResponse:
            found, token = page.cut(ctx.models.page(page), key=lambda model: (model.id,))
            shown = [to.model_message(model, ctx.aliases.of_model(model.id)) for model in found]
            return pb.ListModelsResponse(models=shown, next_page_token=token)

        return self._transactions.read(act)

    # Uploads

    def CreateUpload(self, request: pb.CreateUploadRequest, _: grpc.ServicerContext) -> pb.CreateUploadResponse:
        def act(ctx: Context) -> pb.CreateUploadResponse:
            upload = uploads.create_upload(
                ctx,
                size_bytes=request.size_bytes,
                sha256=request.sha256,
                expires_after=self._settings.upload_expiry,
                most_bytes=self._settings.registry_artifact_most_bytes,
            )
            return pb.CreateUploadResponse(upload=to.upload_message(upload))

        return self._transactions.write_once("CreateUpload", request, act)

    def UploadPart(self, request: pb.UploadPartRequest, _: grpc.ServicerContext) -> pb.UploadPartResponse:
        upload = self._upload(request.name)
        if not upload.complete:
            sha256 = uploads.receive_part(
                self._transactions.store, upload, part=request.part, content=request.content, sha256=request.sha256
            )
            upload = self._transactions.write(
                lambda ctx: uploads.record_part(ctx, upload.id, part=request.part, sha256=sha256)
            )
        return pb.UploadPartResponse(upload=to.upload_message(upload))

    def CompleteUpload(self, request: pb.CompleteUploadRequest, _: grpc.ServicerContext) -> pb.CompleteUploadResponse:
        upload = self._upload(request.name)
        if not upload.complete:
            uploads.join_parts(self._transactions.store, upload)
            upload = self._transactions.write(lambda ctx: uploads.record_completion(ctx, upload.id))
        return pb.CompleteUploadResponse(upload=to.upload_message(upload))

    def GetUpload(self, request: pb.GetUploadRequest, _: grpc.ServicerContext) -> pb.GetUploadResponse:
        return pb.GetUploadResponse(upload=to.upload_message(self._upload(request.name)))

    # Versions

    def CreateVersion(self, request: pb.CreateVersionRequest, _: grpc.ServicerContext) -> pb.CreateVersionResponse:
        model = names.model_of(request.parent, field="parent")
        manifest, lineage = to.manifest_of(request.manifest), to.lineage_of(request.lineage)
        run_starter = self._run_starter(lineage.run)

        def act(ctx: Context) -> pb.CreateVersionResponse:
            version = versions.create_version(
                ctx,
                model=model,
                manifest=manifest,
                lineage=lineage,
                description=request.description,
                run_starter=run_starter,
            )
            return pb.CreateVersionResponse(version=to.version_message(version))

        return self._transactions.write_once("CreateVersion", request, act)

    def GetVersion(self, request: pb.GetVersionRequest, _: grpc.ServicerContext) -> pb.GetVersionResponse:
        model, number = names.version_of(request.name, field="name")
        version = self._transactions.read(lambda ctx: ctx.version(model, number))
        return pb.GetVersionResponse(version=to.version_message(version))

    def ListVersions(self, request: pb.ListVersionsRequest, _: grpc.ServicerContext) -> pb.ListVersionsResponse:
        model, state = names.model_of(request.parent, field="parent"), to.state_of(request.state, field="state")
        page = read_page(
            request.page_size, request.page_token, filters=["ListVersions", request.parent, str(request.state)]
        )
        found, token = self._list(
            page, lambda ctx: ctx.versions.page(ctx.model(model).id, page, state=state), lambda row: (row.number,)
        )
        return pb.ListVersionsResponse(versions=map(to.version_message, found), next_page_token=token)

    def ArchiveVersion(self, request: pb.ArchiveVersionRequest, _: grpc.ServicerContext) -> pb.ArchiveVersionResponse:
        model, number = names.version_of(request.name, field="name")

        def act(ctx: Context) -> pb.ArchiveVersionResponse:
            version = versions.archive_version(ctx, model=model, number=number)
            return pb.ArchiveVersionResponse(version=to.version_message(version))

        return self._transactions.write_once("ArchiveVersion", request, act)

    def DeleteVersion(self, request: pb.DeleteVersionRequest, _: grpc.ServicerContext) -> pb.DeleteVersionResponse:
        model, number = names.version_of(request.name, field="name")

        def act(ctx: Context) -> pb.DeleteVersionResponse:
            version = versions.delete_version(ctx, model=model, number=number)
            return pb.DeleteVersionResponse(version=to.version_message(version))

        return self._transactions.write_once("DeleteVersion", request, act)

    # Evaluations and approvals

    def CreateEvaluation(
        self, request: pb.CreateEvaluationRequest, _: grpc.ServicerContext
    ) -> pb.CreateEvaluationResponse:
        model, number = names.version_of(request.parent, field="parent")

        def act(ctx: Context) -> pb.CreateEvaluationResponse:
            evaluation = evaluations.create_evaluation(
                ctx,
                model=model,
                number=number,
                suite=request.evaluation.suite,
                metrics=dict(request.evaluation.metrics),
                data_digest=request.evaluation.data_digest,
            )
            return pb.CreateEvaluationResponse(evaluation=to.evaluation_message(evaluation))

        return self._transactions.write_once("CreateEvaluation", request, act)

    def ListEvaluations(
        self, request: pb.ListEvaluationsRequest, _: grpc.ServicerContext
    ) -> pb.ListEvaluationsResponse:
        model, number = names.version_of(request.parent, field="parent")
        page = read_page(request.page_size, request.page_token, filters=["ListEvaluations", request.parent])

        def rows(ctx: Context) -> Sequence[Evaluation]:
            return ctx.evaluations.page(model, ctx.version(model, number).number, page)

        found, token = self._list(page, rows, lambda row: (row.id,))
        return pb.ListEvaluationsResponse(evaluations=map(to.evaluation_message, found), next_page_token=token)

    def CreateApproval(self, request: pb.CreateApprovalRequest, _: grpc.ServicerContext) -> pb.CreateApprovalResponse:
        model, number = names.version_of(request.version, field="version")
        alias = names.alias_within(request.alias, model=model, field="alias")

        def act(ctx: Context) -> pb.CreateApprovalResponse:
            approval = gates.create_approval(ctx, model=model, number=number, alias=alias, comment=request.comment)
            return pb.CreateApprovalResponse(approval=to.approval_message(approval))

        return self._transactions.write_once("CreateApproval", request, act)

    # Aliases

    def SetGate(self, request: pb.SetGateRequest, _: grpc.ServicerContext) -> pb.SetGateResponse:
        model, alias = names.alias_of(request.alias, field="alias")
        gate = to.gate_of(request.gate)

        def act(ctx: Context) -> pb.SetGateResponse:
            return pb.SetGateResponse(alias=to.alias_message(gates.set_gate(ctx, model=model, alias=alias, gate=gate)))

        return self._transactions.write_once("SetGate", request, act)

    def Promote(self, request: pb.PromoteRequest, _: grpc.ServicerContext) -> pb.PromoteResponse:
        model, alias = names.alias_of(request.alias, field="alias")
        number = names.version_within(request.version, model=model, field="version")

        def act(ctx: Context) -> pb.PromoteResponse:
            move = promotions.promote(
                ctx,
                model=model,
                alias=alias,
                number=number,
                reason=request.reason,
                etag=request.etag,
                candidates_per_author=self._settings.registry_candidates_per_author,
                validate_only=request.validate_only,
            )
            return to.promoted(move)

        if request.validate_only:
            return self._transactions.read(act)
        return self._transactions.write_once("Promote", request, act)

    def Rollback(self, request: pb.RollbackRequest, _: grpc.ServicerContext) -> pb.RollbackResponse:
        model, alias = names.alias_of(request.alias, field="alias")

        def act(ctx: Context) -> pb.RollbackResponse:
            return to.rolled_back(
                promotions.rollback(ctx, model=model, alias=alias, reason=request.reason, etag=request.etag)
            )

        return self._transactions.write_once("Rollback", request, act)

    def GetAlias(self, request: pb.GetAliasRequest, _: grpc.ServicerContext) -> pb.GetAliasResponse:
        model, alias = names.alias_of(request.name, field="name")
        if not request.HasField("read_time"):
            found = self._transactions.read(lambda ctx: ctx.alias(model, alias))
            return pb.GetAliasResponse(alias=to.alias_message(found))
        when = to.time_of(request.read_time, field="read_time")
        then = self._transactions.read(lambda ctx: ctx.aliases.at(model, alias, when))
        if then is None:
            raise absent(f"{request.name} at {when.isoformat()}")
        return pb.GetAliasResponse(alias=to.alias_message(then))

    def ListAliases(self, request: pb.ListAliasesRequest, _: grpc.ServicerContext) -> pb.ListAliasesResponse:
        model = names.model_or_all(request.parent, field="parent")
        page = read_page(request.page_size, request.page_token, filters=["ListAliases", request.parent])

        def rows(ctx: Context) -> Sequence[Alias]:
            return ctx.aliases.page(None if model is None else ctx.model(model).id, page)

        found, token = self._list(page, rows, lambda row: (row.model, row.alias))
        return pb.ListAliasesResponse(aliases=map(to.alias_message, found), next_page_token=token)

    def ListPromotions(self, request: pb.ListPromotionsRequest, _: grpc.ServicerContext) -> pb.ListPromotionsResponse:
        model, alias = names.alias_of(request.parent, field="parent")
        page = read_page(request.page_size, request.page_token, filters=["ListPromotions", request.parent])
        found, token = self._list(
            page, lambda ctx: ctx.promotions.page(ctx.alias(model, alias), page), lambda row: (row.sequence,)
        )
        return pb.ListPromotionsResponse(promotions=map(to.promotion_message, found), next_page_token=token)

    # Accounting

    def ListAuditRecords(
        self, request: pb.ListAuditRecordsRequest, _: grpc.ServicerContext
    ) -> pb.ListAuditRecordsResponse:
        resource = names.resource_of(request.resource, field="resource")
        page = read_page(request.page_size, request.page_token, filters=["ListAuditRecords", resource])
        found, token = self._list(
            page, lambda ctx: audit.list_audit_records(ctx, page, resource=resource), lambda row: (row.sequence,)
        )
        return pb.ListAuditRecordsResponse(records=map(to.audit_message, found), next_page_token=token)

    def CollectGarbage(self, request: pb.CollectGarbageRequest, _: grpc.ServicerContext) -> pb.CollectGarbageResponse:
        grace = self._settings.garbage_grace
        if request.validate_only:
            found = self._transactions.read(lambda ctx: garbage.unreferenced(ctx, grace=grace))
            return to.collected(found)
        response = self._transactions.write_once(
            "CollectGarbage", request, lambda ctx: to.collected(garbage.mark(ctx, grace=grace))
        )
        sweep_all(self._transactions)
        return response

    def _upload(self, name: str) -> Upload:
        upload = names.upload_of(name, field="name")
        return self._transactions.read(lambda ctx: uploads.get_upload(ctx, upload))

    def _list(
        self, page: Page, rows: Callable[[Context], Sequence[Row]], key: Callable[[Row], Key]
    ) -> tuple[Sequence[Row], str]:
        return page.cut(self._transactions.read(rows), key=key)
