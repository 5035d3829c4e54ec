"""Between the wire messages of mgrd.inference.v1 and the gateway's own values. Translates, decides nothing."""

from google.protobuf.timestamp_pb2 import Timestamp

from mgrd.common.v1.common_pb2 import Evidence
from mgrd.inference.v1 import inference_pb2 as wire
from services.inference.domain import Alias, Deployment, State
from services.inference.gateway.question import Question, alias_name, checked
from services.inference.gateway.replies import Answering, Completed, ReplyEvent
from services.inference.triton.protocol import Ask, Piece

_STATES = {
    State.LOADING: wire.DEPLOYMENT_STATE_LOADING,
    State.READY: wire.DEPLOYMENT_STATE_READY,
    State.FAILED: wire.DEPLOYMENT_STATE_FAILED,
    State.DRAINING: wire.DEPLOYMENT_STATE_DRAINING,
}


def question_from(request: wire.ReasonRequest, *, audio: bytes | None = None) -> Question:
    """The checked question of a request; `audio` replaces the request's own bytes."""
    sampling = request.sampling
    ask = Ask(
        question=request.question,
        choices=tuple(request.choices),
        think=request.think != wire.THINK_MODE_OFF,
        **{name: getattr(sampling, name) for name in _SAMPLING if sampling.HasField(name)},
    )
    return checked(
        Question(
            alias=alias_name(request.model, request.alias),
            ask=ask,
            audio=request.audio if audio is None and request.HasField("audio") else audio,
            wants_evidence=not request.skip_evidence,
        )
    )


_SAMPLING = ("max_new_tokens", "temperature", "top_p", "seed", "max_think_tokens")


def response_of(event: ReplyEvent) -> wire.ReasonResponse:
    """An event of a reply on the wire."""
    if isinstance(event, Answering):
        return wire.ReasonResponse(
            answerer=wire.Answerer(
                version=event.version.name,
                digest=event.version.digest,
                request_id=event.request_id,
                front_end_version=event.version.front_end_version,
            )
        )
    if isinstance(event, Piece):
        return wire.ReasonResponse(**{event.phase: wire.Delta(text=event.text, tokens=event.tokens)})
    if isinstance(event, Evidence):
        return wire.ReasonResponse(evidence=event)
    return wire.ReasonResponse(completion=_completion(event))


def _completion(done: Completed) -> wire.Completion:
    return wire.Completion(
        finish_reason=done.end.finish_reason,
        answer=done.answer,
        reasoning_tokens=done.end.reasoning_tokens,
        answer_tokens=done.end.answer_tokens,
        time_to_first_token_ms=done.first_token_ms,
        total_ms=done.total_ms,
        out_of_domain=bool(done.unfamiliar),
        out_of_domain_reason=done.unfamiliar,
    )


def deployment_of(deployment: Deployment, *, aliases: tuple[Alias, ...]) -> wire.Deployment:
    """A deployment on the wire, with the aliases that want its version now."""
    observed = Timestamp()
    observed.FromDatetime(deployment.observe_time)
    return wire.Deployment(
        replica=deployment.replica,
        version=deployment.version.name,
        digest=deployment.version.digest,
        state=_STATES[deployment.state],
        message=deployment.message,
        observe_time=observed,
        aliases=[alias.name for alias in aliases if alias.wanted.digest == deployment.version.digest],
    )
