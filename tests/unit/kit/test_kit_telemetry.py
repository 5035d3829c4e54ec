"""Logs and traces."""

import json
import logging

from services.kit import telemetry
from services.kit.telemetry import JsonFormatter


def test_a_log_line_is_json_with_its_trace_and_extras() -> None:
    record = logging.LogRecord("kit", logging.INFO, "f.py", 1, "served %s", ("m",), None)
    record.port = 7
    with telemetry.span("call"):
        line = json.loads(JsonFormatter("registry").format(record))
        assert line["trace_id"] == telemetry.trace_id()
    assert (line["message"], line["service"], line["port"], line["level"]) == ("served m", "registry", 7, "INFO")


def test_a_span_continues_the_trace_it_was_given_and_ends() -> None:
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with telemetry.span("outer", traceparent=given):
        assert telemetry.trace_id() == "0af7651916cd43dd8448eb211c80319c"
        with telemetry.span("inner"):
            assert telemetry.trace_id() == "0af7651916cd43dd8448eb211c80319c"
            assert telemetry.traceparent() != given
    assert telemetry.traceparent() == ""


def test_a_garbled_traceparent_begins_a_new_trace() -> None:
    with telemetry.span("call", traceparent="00-zz-zz-01"):
        assert len(telemetry.trace_id()) == 32
