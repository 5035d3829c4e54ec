"""Settings of the way to Kafka: whole, or refused by name."""

from typing import Any

import pytest

from services.kit.events.kafka import KafkaBus
from services.kit.events.security import BrokerSecurity, BrokerSecurityError
from services.kit.settings import ServiceSettings

SIGNED_IN = {"mechanism": "SCRAM-SHA-512", "username": "u", "password": "p"}


@pytest.mark.parametrize(
    ("fields", "protocol"),
    [
        ({}, "PLAINTEXT"),
        ({"tls": True}, "SSL"),
        (SIGNED_IN, "SASL_PLAINTEXT"),
        ({"tls": True, "ca": "/ca", "cert": "/c", "key": "/k", **SIGNED_IN}, "SASL_SSL"),
    ],
)
def test_the_protocol_follows_from_what_is_named(fields: dict[str, Any], protocol: str) -> None:
    options = BrokerSecurity(**fields).options()
    assert options["security_protocol"] == protocol
    assert ("sasl_plain_password" in options) == ("password" in fields)
    assert ("ssl_cafile" in options) == ("ca" in fields)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"ca": "/ca"}, "MGRD_EVENTS_TLS"),
        ({"tls": True, "cert": "/c"}, "MGRD_EVENTS_KEY"),
        ({"mechanism": "MAGIC", "username": "u", "password": "p"}, "MAGIC"),
        ({"mechanism": "PLAIN", "username": "u"}, "MGRD_EVENTS_PASSWORD"),
        ({"username": "u", "password": "p"}, "MGRD_EVENTS_SASL"),
    ],
)
def test_half_of_it_is_an_error_that_names_the_variable(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(BrokerSecurityError, match=named) as refused:
        BrokerSecurity(**fields)
    assert refused.value.reason == "BROKER_SECURITY_INVALID"


def test_a_password_is_not_shown() -> None:
    assert "hush" not in repr(BrokerSecurity(mechanism="PLAIN", username="u", password="hush"))


def test_a_process_reads_it_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"URL": "kafka://k:1", "TLS": "true", "SASL": "PLAIN", "USERNAME": "u", "PASSWORD": "p"}
    for name, value in environment.items():
        monkeypatch.setenv(f"MGRD_EVENTS_{name}", value)
    assert isinstance(ServiceSettings.from_environment().open_bus(), KafkaBus)
    monkeypatch.delenv("MGRD_EVENTS_PASSWORD")
    with pytest.raises(BrokerSecurityError, match="MGRD_EVENTS_PASSWORD"):
        ServiceSettings.from_environment().open_bus()
