"""Event types and their bodies: AliasMoved of mgrd.events.v1 travels as "mgrd.alias.moved.v1".

Promises that the mapping is derived from the protos alone, both ways, so a new event needs no entry anywhere.
"""

import re
from functools import cache

from google.protobuf import message_factory
from google.protobuf.message import Message

from mgrd.events.v1 import events_pb2

_WORD = re.compile(r"[A-Z][a-z0-9]*")


def type_of(body: Message) -> str:
    """The CloudEvents type of an event body."""
    return _type_of(body.DESCRIPTOR.full_name)


def parse_body(event_type: str, data: bytes) -> Message:
    """The body of an event; KeyError for a type this build does not know, DecodeError for bytes it cannot read."""
    return _classes()[event_type].FromString(data)


def known_types() -> frozenset[str]:
    """Every event type of this build."""
    return frozenset(_classes())


def _type_of(full_name: str) -> str:
    package, _, message = full_name.rpartition(".")
    words = ".".join(word.lower() for word in _WORD.findall(message))
    return f"mgrd.{words}.{package.rpartition('.')[2]}"


@cache
def _classes() -> dict[str, type[Message]]:
    messages = events_pb2.DESCRIPTOR.message_types_by_name.values()
    return {_type_of(found.full_name): message_factory.GetMessageClass(found) for found in messages}
