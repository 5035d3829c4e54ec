"""The step that registers the run's last checkpoint and makes it the candidate.

Promises that repeating it changes nothing: every request's id is made from the run and what the request is about, and
the registry knows a digest it has. Uploads nothing, since the stages have put every file into the store.
"""

from collections.abc import Mapping

import grpc

from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1 import registry_pb2_grpc as pb_grpc
from pipelines.steps import checkpoints
from pipelines.steps.platform import call, channel, request_id
from pipelines.steps.reporting import reported
from pipelines.steps.surroundings import Surroundings

SUITE = "heldout"
CANDIDATE = "candidate"


def register(
    *, model: str, checkpoint: str, base: str, step: str, data_digest: str, metrics: Mapping[str, float]
) -> str:
    """Registers the checkpoint with lineage and its held-out evaluation; returns the version's name."""
    around = Surroundings.from_environment()
    with reported(around, "register") as (_, outcome):
        lineage = pb.Lineage(
            run=f"runs/{around.run}", step=step, parent=base, data_digest=data_digest, code_commit=around.code_commit
        )
        registry = Registry(around)
        registry.ensure_model(model)
        version = registry.create_version(model, checkpoint=checkpoint, lineage=lineage)
        registry.record(version, metrics=metrics, data_digest=data_digest)
        registry.make_candidate(model, version=version)
        outcome.version = version
        outcome.message = f"{version} registered, now {CANDIDATE}"
        return version


class Registry:
    """The registry as this step uses it."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._stub = pb_grpc.RegistryServiceStub(channel(around.need("registry_addr")))

    def ensure_model(self, model: str) -> None:
        """Creates the model where it does not exist."""
        request = pb.CreateModelRequest(
            model_id=model, description="Made by the MGRD pipeline.", request_id=self._id("model", model)
        )
        try:
            call(self._stub.GetModel, pb.GetModelRequest(name=f"models/{model}"), token_file=self._around.token_file)
            return
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
        try:
            call(self._stub.CreateModel, request, token_file=self._around.token_file)
        except grpc.RpcError as error:  # another run was faster
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise

    def create_version(self, model: str, *, checkpoint: str, lineage: pb.Lineage) -> str:
        """Name of the version with this digest."""
        request = pb.CreateVersionRequest(
            parent=f"models/{model}",
            manifest=checkpoints.to_proto(checkpoints.manifest_of_digest(self._around, checkpoint)),
            lineage=lineage,
            description=f"{lineage.step} of {lineage.run}",
            request_id=self._id("version", checkpoint),
        )
        return call(self._stub.CreateVersion, request, token_file=self._around.token_file, timeout_s=60).version.name

    def record(self, version: str, *, metrics: Mapping[str, float], data_digest: str) -> None:
        """Records the held-out evaluation."""
        evaluation = pb.Evaluation(suite=SUITE, metrics=dict(metrics), data_digest=data_digest)
        request = pb.CreateEvaluationRequest(
            parent=version, evaluation=evaluation, request_id=self._id("evaluation", version)
        )
        call(self._stub.CreateEvaluation, request, token_file=self._around.token_file)

    def make_candidate(self, model: str, *, version: str) -> None:
        """Points the alias `candidate` at the version, which makes every agent load and prove it."""
        request = pb.PromoteRequest(
            alias=f"models/{model}/aliases/{CANDIDATE}",
            version=version,
            reason=f"result of runs/{self._around.run}",
            request_id=self._id("candidate", version),
        )
        call(self._stub.Promote, request, token_file=self._around.token_file)

    def _id(self, *about: str) -> str:
        return request_id(self._around.run, "register", *about)
