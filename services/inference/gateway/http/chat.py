"""Requests for OpenAI's chat completions. A field that is not supported is an error, never ignored.

model      "nano" asks production, "nano@candidate" another alias
messages   one user message: text parts, and at most one input_audio part
beyond OpenAI's: chat_template_kwargs.enable_thinking, max_think_tokens, choices, skip_evidence
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.inference.gateway.question import Question, alias_name, checked
from services.inference.triton.protocol import Ask
from services.kit.errors import InvalidArgument, shown

FORMATS = ("wav", "flac", "ogg", "mp3")
_FIELDS = frozenset(
    (
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "seed",
        "n",
        "modalities",
        "user",
        "chat_template_kwargs",
        "max_think_tokens",
        "choices",
        "skip_evidence",
    )
)


@dataclass(frozen=True)
class ChatRequest:
    """A question and how its reply is to come."""

    question: Question
    model: str
    stream: bool


def read_chat(body: bytes) -> ChatRequest:
    """The question of a request's body; InvalidArgument names the field that is wrong."""
    fields = _object(_json(body), field="body")
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        raise InvalidArgument(f"{shown(unknown[0])} is not supported; leave it out", field=unknown[0][:80])
    for field, only in (("n", 1), ("modalities", ["text"])):
        if fields.get(field, only) != only:
            raise InvalidArgument(f"{field} is {shown(str(fields[field]))}; only {only} is supported", field=field)
    model = _typed(fields.get("model", ""), str, field="model")
    text, audio = _message(fields.get("messages"))
    model_id, _, alias = model.partition("@")
    question = Question(
        alias=alias_name(f"models/{model_id}", alias),
        ask=_ask(fields, text),
        audio=audio,
        wants_evidence=not _typed(fields.get("skip_evidence", False), bool, field="skip_evidence"),
    )
    return ChatRequest(checked(question), model=model, stream=_typed(fields.get("stream", False), bool, field="stream"))


def _ask(fields: Mapping[str, Any], text: str) -> Ask:
    template = _object(fields.get("chat_template_kwargs", {}), field="chat_template_kwargs")
    if set(template) - {"enable_thinking"}:
        raise InvalidArgument("only enable_thinking is supported", field="chat_template_kwargs")
    choices = fields.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise InvalidArgument("choices is not a list of texts", field="choices")
    return Ask(
        question=text,
        choices=tuple(choices),
        think=_typed(template.get("enable_thinking", True), bool, field="chat_template_kwargs.enable_thinking"),
        max_new_tokens=_number(fields, "max_completion_tokens", int) or _number(fields, "max_tokens", int),
        temperature=_number(fields, "temperature", float),
        top_p=_number(fields, "top_p", float),
        seed=_number(fields, "seed", int),
        max_think_tokens=_number(fields, "max_think_tokens", int),
    )


def _message(messages: Any) -> tuple[str, bytes | None]:
    if not isinstance(messages, list) or len(messages) != 1:
        raise InvalidArgument("messages must hold exactly one user message; turns are not remembered", field="messages")
    message = _object(messages[0], field="messages[0]")
    if message.get("role") != "user":
        raise InvalidArgument(
            f"role is {shown(str(message.get('role')))}; only user is supported", field="messages[0].role"
        )
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list):
        raise InvalidArgument("content is neither a text nor a list of parts", field="messages[0].content")
    texts, clips = [], []
    for index, part in enumerate(parts):
        field = f"messages[0].content[{index}]"
        kind = _object(part, field=field).get("type")
        if kind == "text":
            texts.append(_typed(part.get("text"), str, field=f"{field}.text"))
        elif kind == "input_audio":
            clips.append(_clip(part.get("input_audio"), field=f"{field}.input_audio"))
        else:
            raise InvalidArgument(f"type is {shown(str(kind))}; use text or input_audio", field=f"{field}.type")
    if len(clips) > 1:
        raise InvalidArgument(f"{len(clips)} clips; send one", field="messages[0].content")
    return " ".join(texts), clips[0] if clips else None


def _clip(value: Any, *, field: str) -> bytes:
    clip = _object(value, field=field)
    if clip.get("format", "wav") not in FORMATS:
        raise InvalidArgument(
            f"format is {shown(str(clip.get('format')))}; use {', '.join(FORMATS)}", field=f"{field}.format"
        )
    try:
        return base64.b64decode(_typed(clip.get("data"), str, field=f"{field}.data"), validate=True)
    except ValueError:  # binascii's error, or a letter beyond ASCII
        raise InvalidArgument("data is not base64", field=f"{field}.data") from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidArgument("the body is not JSON", field="body") from None


def _object(value: Any, *, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidArgument(f"{field} is not an object", field=field)
    return value


def _typed(value: Any, kind: type, *, field: str) -> Any:
    if not isinstance(value, kind):
        raise InvalidArgument(f"{field} is {shown(repr(value))}, not of type {kind.__name__}", field=field)
    return value


def _number(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
        raise InvalidArgument(f"{name} is {shown(repr(value))}, not of type {kind.__name__}", field=name)
    try:
        return kind(value)
    except OverflowError:
        raise InvalidArgument(f"{name} is too big a number", field=name) from None
