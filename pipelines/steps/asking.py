"""The last step: waits until the candidate is served, then asks it one held-out question over gRPC."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import grpc

from mgrd.inference.v1 import inference_pb2 as pb
from mgrd.inference.v1 import inference_pb2_grpc as pb_grpc
from pipelines.errors import PipelineError
from pipelines.steps.platform import call, channel, credentials
from pipelines.steps.registration import CANDIDATE
from pipelines.steps.reporting import Outcome, Reporter, reported
from pipelines.steps.surroundings import Surroundings

_POLL_S = 0.25
_ASK_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    version: str
    reasoning: str
    answer: str


def ask(*, model: str, version: str, data: str, timeout_s: int) -> str:
    """The candidate's answer to the first held-out question; empty where the platform serves nothing."""
    around = Surroundings.from_environment()
    with reported(around, "ask") as (progress, outcome):
        if not around.inference_addr:
            outcome.message = "not asked: this platform has no inference service"
            return ""
        stub = pb_grpc.InferenceServiceStub(channel(around.inference_addr))
        _await_served(stub, around, model=model, version=version, timeout_s=timeout_s, progress=progress)
        return _ask_first(stub, around, model=model, data=Path(data), outcome=outcome)


def _await_served(
    stub: pb_grpc.InferenceServiceStub,
    around: Surroundings,
    *,
    model: str,
    version: str,
    timeout_s: int,
    progress: Reporter,
) -> None:
    began_s = time.monotonic()
    request = pb.GetDeploymentRequest(model=f"models/{model}", alias=CANDIDATE)
    while (waited_s := time.monotonic() - began_s) < timeout_s:
        try:
            seen = call(stub.GetDeployment, request, token_file=around.token_file)
        except grpc.RpcError as error:  # the gateway has not heard of the new alias yet
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            seen = pb.GetDeploymentResponse()
        if seen.desired_version == version and seen.serving:
            return
        _refuse_failed(seen, version=version)
        progress(0.5 * waited_s / timeout_s, f"waiting until {version} is served")
        time.sleep(_POLL_S)
    raise PipelineError(
        f"{version} was not served within {timeout_s} s; look at `mgrd status` and the agent's log",
        reason="NOT_DEPLOYED",
    )


def _refuse_failed(seen: pb.GetDeploymentResponse, *, version: str) -> None:
    states = [found for found in seen.deployments if found.version == version]
    failed = [found for found in states if found.state == pb.DEPLOYMENT_STATE_FAILED]
    if failed and len(failed) == len(states):
        raise PipelineError(f"{version} failed to deploy: {failed[0].message}", reason="DEPLOYMENT_FAILED")


def _ask_first(
    stub: pb_grpc.InferenceServiceStub, around: Surroundings, *, model: str, data: Path, outcome: Outcome
) -> str:
    with (data / "heldout.jsonl").open() as rows:
        row = json.loads(next(rows))
    request = pb.ReasonRequest(
        model=f"models/{model}",
        alias=CANDIDATE,
        audio=(data / row["audio"]).read_bytes(),
        question=row["question"],
        choices=row.get("choices") or (),
        skip_evidence=True,
    )
    events = stub.Reason(request, timeout=_ASK_TIMEOUT_S, metadata=credentials(around.token_file), wait_for_ready=True)
    reply = _joined(list(events))
    outcome.message = f"{reply.version} was asked {row['question']!r} and said {reply.answer!r}"
    return reply.answer


def _joined(events: list[pb.ReasonResponse]) -> Reply:
    return Reply(
        version=next((event.answerer.version for event in events if event.HasField("answerer")), ""),
        reasoning="".join(event.reasoning.text for event in events if event.HasField("reasoning")),
        answer="".join(event.answer.text for event in events if event.HasField("answer")),
    )
