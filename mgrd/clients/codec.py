"""Between protobuf messages and frozen dataclasses, by the names and types of the dataclass's fields.

Promises that `read(Type, message)` and `write(Message, value)` are each other's inverse for the types the clients
use: texts, numbers, nested values, tuples, mappings, enumerations, times and durations. A dataclass may leave out
fields of its message, never the other way round. Leaves the meaning of the values to their own modules.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

Value = TypeVar("Value")
Proto = TypeVar("Proto", bound=Message)


def read(kind: type[Value], message: Message) -> Value:
    """The value of dataclass `kind` that the message says."""
    return kind(**{name: _read_field(hint, message, name) for name, hint in _hints(kind).items()})


def write(kind: type[Proto], value: object) -> Proto:
    """A message of type `kind` that says the value; None leaves a field unset."""
    message: Proto = kind()
    for name in _hints(type(value)):
        _write_field(message, name, getattr(value, name))
    return message


def read_enum(kind: type[StrEnum], message: Message, name: str) -> StrEnum | None:
    """The enumerated field as a word in lower case, without its prefix; None where unspecified or unknown."""
    enum = message.DESCRIPTOR.fields_by_name[name].enum_type
    number = enum.values_by_number.get(getattr(message, name))
    word = number.name.removeprefix(_prefix(enum.name)).lower() if number else ""
    return kind(word) if word in {member.value for member in kind} else None


def _field_hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


_hints: Callable[[Any], dict[str, Any]] = cache(_field_hints)


def _read_field(hint: Any, message: Message, name: str) -> Any:
    optional, hint = _without_none(hint)
    if get_origin(hint) is tuple:
        return tuple(_read_item(get_args(hint)[0], item) for item in getattr(message, name))
    if get_origin(hint) is Mapping:
        return _read_mapping(getattr(message, name))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return read_enum(hint, message, name)
    if optional and not message.HasField(name):
        return None
    return _read_item(hint, getattr(message, name))


def _read_item(hint: Any, item: Any) -> Any:
    if isinstance(item, Timestamp):
        return item.ToDatetime(tzinfo=UTC)
    if isinstance(item, Duration):
        return item.ToTimedelta()
    return read(hint, item) if isinstance(hint, type) and is_dataclass(hint) else item


def _read_mapping(mapping: Any) -> dict[str, Any]:
    return _whole(MessageToDict(mapping)) if isinstance(mapping, Struct) else dict(mapping)


def _whole(value: Any) -> Any:
    # A Struct knows only doubles; whoever wrote 3 wants to read 3.
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _write_field(message: Message, name: str, value: Any) -> None:
    target = getattr(message, name)
    if value is None or value == ():
        return
    if isinstance(value, StrEnum):
        enum = message.DESCRIPTOR.fields_by_name[name].enum_type
        setattr(message, name, enum.values_by_name[_prefix(enum.name) + value.value.upper()].number)
    elif isinstance(value, Mapping):
        target.update(value)
    elif isinstance(value, tuple):
        target.extend(_write_items(message, name, value))
    elif isinstance(value, datetime):
        target.FromDatetime(value)
    elif isinstance(value, timedelta):
        target.FromTimedelta(value)
    elif is_dataclass(value):
        target.CopyFrom(write(type(target), value))
    else:
        setattr(message, name, value)


def _write_items(message: Message, name: str, items: tuple[Any, ...]) -> list[Any]:
    kind = message.DESCRIPTOR.fields_by_name[name].message_type
    return [write(GetMessageClass(kind), item) for item in items] if kind else list(items)


def _without_none(hint: Any) -> tuple[bool, Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        kinds = [one for one in get_args(hint) if one is not type(None)]
        return True, kinds[0]
    return False, hint


def _prefix(enum_name: str) -> str:
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in enum_name)
    return words.lstrip("_").upper() + "_"
