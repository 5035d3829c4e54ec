"""Checks that hold for every request whatever the service: no text that could not be stored or shown.

Leaves the meaning of fields to the services.
"""

from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.kit.errors import InvalidArgument, shown

MAX_TEXT_CHARS = 100_000


def validate(_method: str, request: Message) -> None:
    """InvalidArgument where a text of the request holds NUL or is longer than 100,000 characters."""
    for path, text in _texts(request, ""):
        if "\0" in text:
            raise InvalidArgument(
                f"{path} is {shown(text)}, which holds a NUL character; leave it out", field=path, reason="INVALID_TEXT"
            )
        if len(text) > MAX_TEXT_CHARS:
            raise InvalidArgument(
                f"{path} has {len(text)} characters; send at most {MAX_TEXT_CHARS}", field=path, reason="TEXT_TOO_LONG"
            )


def _texts(message: Message, prefix: str) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        for item in _items(field, value):
            if isinstance(item, str):
                yield path, item
            elif isinstance(item, Message):
                yield from _texts(item, f"{path}.")


def _items(field: FieldDescriptor, value: object) -> Iterator[object]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        yield from value  # type: ignore[misc]  # a map's keys, and its values
        yield from value.values()  # type: ignore[attr-defined]
    elif field.is_repeated:
        yield from value  # type: ignore[misc]
    else:
        yield value
