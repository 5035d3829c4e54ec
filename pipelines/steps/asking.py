"""The last step: waits until the candidate is served, then asks it one held-out question over gRPC."""

import json
import time
from pathlib import Path

from mgrd.clients import InferenceClient, NotFoundError
from mgrd.clients.inference import AliasDeployment, Answerer, Completion, DeploymentState, Question
from pipelines.errors import PipelineError
from pipelines.steps.platform import clients_of
from pipelines.steps.registration import CANDIDATE
from pipelines.steps.reporting import Reporter, reported
from pipelines.steps.surroundings import Surroundings

_POLL_S = 0.25


def ask(*, model: str, version: str, data: str, timeout_s: int) -> str:
    """The candidate's answer to the first held-out question; empty where the platform serves nothing."""
    around = Surroundings.from_environment()
    with reported(around, "ask") as (progress, outcome), clients_of(around) as clients:
        if not around.inference_addr:
            outcome.message = "not asked: this platform has no inference service"
            return ""
        _await_served(clients.inference, model=model, version=version, timeout_s=timeout_s, progress=progress)
        question = first_question(Path(data), model=model)
        answerer, answer = _answer(clients.inference, question)
        outcome.message = f"{answerer} was asked {question.text!r} and said {answer!r}"
        return answer


def first_question(data: Path, *, model: str) -> Question:
    """The first held-out row with a clip, put to the candidate."""
    with (data / "heldout.jsonl").open() as rows:
        row = next(found for found in map(json.loads, rows) if found.get("audio"))
    return Question(
        model=f"models/{model}",
        alias=CANDIDATE,
        text=row["question"],
        audio=(data / row["audio"]).read_bytes(),
        choices=tuple(row.get("choices") or ()),
        skip_evidence=True,
    )


def _await_served(inference: InferenceClient, *, model: str, version: str, timeout_s: int, progress: Reporter) -> None:
    began_s = time.monotonic()
    while (waited_s := time.monotonic() - began_s) < timeout_s:
        if _is_served(inference, model=model, version=version):
            return
        progress(0.5 * waited_s / timeout_s, f"waiting until {version} is served")
        time.sleep(_POLL_S)
    raise PipelineError(
        f"{version} was not served within {timeout_s} s; look at `mgrd status` and the agent's log",
        reason="NOT_DEPLOYED",
    )


def _is_served(inference: InferenceClient, *, model: str, version: str) -> bool:
    try:
        seen = inference.get_deployment(f"models/{model}", alias=CANDIDATE)
    except NotFoundError:  # the gateway has not heard of the new alias yet
        return False
    _refuse_failed(seen, version=version)
    return seen.desired_version == version and seen.serving


def _refuse_failed(seen: AliasDeployment, *, version: str) -> None:
    found = [deployment for deployment in seen.deployments if deployment.version == version]
    failed = [deployment for deployment in found if deployment.state is DeploymentState.FAILED]
    if failed and len(failed) == len(found):
        raise PipelineError(f"{version} failed to deploy: {failed[0].message}", reason="DEPLOYMENT_FAILED")


def _answer(inference: InferenceClient, question: Question) -> tuple[str, str]:
    answerer, answer = "", ""
    for event in inference.reason(question):
        if isinstance(event, Answerer):
            answerer = event.version
        elif isinstance(event, Completion):
            answer = event.answer
    return answerer, answer
