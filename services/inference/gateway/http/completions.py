"""Replies as OpenAI's chat completions, whole and in chunks.

Reasoning comes as `reasoning_content`, as other reasoning servers send it; version, evidence and figures as `mgrd`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict

from mgrd.common.v1.common_pb2 import Evidence
from services.inference.gateway.replies import Answering, Completed, ReplyEvent
from services.inference.triton.protocol import Piece


def chunks(events: Iterator[ReplyEvent], *, model: str) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed completion."""
    head = {"id": "", "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
    evidence: list[Evidence] = []
    for event in events:
        if isinstance(event, Answering):
            head |= {"id": f"chatcmpl-{event.request_id}", "mgrd": _answerer(event)}
            yield _chunk(head, {"role": "assistant", "content": ""})
            head.pop("mgrd")
        elif isinstance(event, Piece):
            yield _chunk(head, {"reasoning_content" if event.phase == "reasoning" else "content": event.text})
        elif isinstance(event, Completed):
            extra = {"usage": _usage(event), "mgrd": _figures(event, evidence)}
            yield _chunk(head, {}, finish_reason=_finish(event)) | extra
        else:
            evidence.append(event)


def completion(events: Iterator[ReplyEvent], *, model: str) -> dict[str, Any]:
    """The body of a completion that is not streamed."""
    answering: Answering | None = None
    done: Completed | None = None
    reasoning: list[str] = []
    evidence: list[Evidence] = []
    for event in events:
        if isinstance(event, Answering):
            answering = event
        elif isinstance(event, Completed):
            done = event
        elif isinstance(event, Evidence):
            evidence.append(event)
        elif event.phase == "reasoning":
            reasoning.append(event.text)
    assert answering is not None
    assert done is not None
    message = {"role": "assistant", "content": done.answer, "reasoning_content": "".join(reasoning)}
    return {
        "id": f"chatcmpl-{answering.request_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(done)}],
        "usage": _usage(done),
        "mgrd": _answerer(answering) | _figures(done, evidence),
    }


def _chunk(head: Mapping[str, Any], delta: Mapping[str, Any], *, finish_reason: str | None = None) -> dict[str, Any]:
    return {**head, "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish_reason}]}


def _finish(done: Completed) -> str:
    return "length" if done.end.finish_reason == "length" else "stop"


def _usage(done: Completed) -> dict[str, Any]:
    tokens = done.end.reasoning_tokens + done.end.answer_tokens
    return {"completion_tokens": tokens, "completion_tokens_details": {"reasoning_tokens": done.end.reasoning_tokens}}


def _answerer(answering: Answering) -> dict[str, Any]:
    return {"version": answering.version.name, "digest": answering.version.digest}


def _figures(done: Completed, evidence: Sequence[Evidence]) -> dict[str, Any]:
    return {
        "evidence": [MessageToDict(one, preserving_proto_field_name=True) for one in evidence],
        "time_to_first_token_ms": done.first_token_ms,
        "total_ms": done.total_ms,
        "out_of_domain": bool(done.unfamiliar),
        "out_of_domain_reason": done.unfamiliar,
    }
