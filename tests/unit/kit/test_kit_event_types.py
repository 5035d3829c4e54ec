"""Event types, and the released events: every golden file must be read for ever as it was written."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from mgrd.events.v1 import events_pb2
from services.kit.events.types import known_types, parse_body, type_of

GOLDEN = sorted((Path(__file__).parent / "golden_events").glob("*.json"))


def test_types_are_spelled_from_the_message_names() -> None:
    assert type_of(events_pb2.AliasMoved()) == "mgrd.alias.moved.v1"
    assert type_of(events_pb2.CheckpointProduced()) == "mgrd.checkpoint.produced.v1"
    assert len(known_types()) == len(events_pb2.DESCRIPTOR.message_types_by_name)


def test_every_released_event_has_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN} == known_types()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_released_event_is_read_as_it_was_written(path: Path) -> None:
    golden = json.loads(path.read_text())
    body = parse_body(golden["type"], bytes.fromhex(golden["data_hex"]))
    assert json_format.MessageToDict(body, preserving_proto_field_name=True) == golden["body"]
    unset = [field.name for field in body.DESCRIPTOR.fields if field.name not in golden["body"]]
    assert type_of(body) == golden["type"]
    assert unset == golden.get("added_since", [])
