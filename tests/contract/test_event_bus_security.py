"""A broker that wants TLS and a name: who has both is served, who lacks one is not, and nobody is let in plainly."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from services.kit.events.bus import open_bus
from services.kit.events.security import NO_SECURITY, BrokerSecurity
from tests.support.brokers import kafka_broker
from tests.support.certificates import issue
from tests.support.events import an_event, drain

TOPIC = "mgrd.test"
_PATIENCE_MS = 3_000
SETTINGS = """
listener.security.protocol.map=PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="mgrd" password="right" user_mgrd="right";
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
"""


@pytest.fixture(scope="module")
def security(tmp_path_factory: pytest.TempPathFactory) -> BrokerSecurity:
    folder = tmp_path_factory.mktemp("certificates")
    ca = issue(folder, "ca")
    server = issue(folder, "server", by=ca)
    (folder / "keystore.pem").write_bytes(server.key.read_bytes() + server.cert.read_bytes() + ca.cert.read_bytes())
    (folder / "settings").write_text(SETTINGS.format(keystore=folder / "keystore.pem", ca=ca.cert))
    return BrokerSecurity(tls=True, ca=str(ca.cert), mechanism="PLAIN", username="mgrd", password="right")


@pytest.fixture(scope="module")
def broker(security: BrokerSecurity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with kafka_broker(tmp_path_factory.mktemp("kafka"), settings=Path(security.ca).with_name("settings")) as address:
        yield address


def test_who_signs_in_over_tls_publishes_and_reads(broker: str, security: BrokerSecurity) -> None:
    bus = open_bus(f"kafka://{broker}", security=security)
    sent = an_event("k")
    bus.publish(TOPIC, [sent])
    consumer = bus.consumer("g", [TOPIC])
    [delivery] = drain(consumer, want=1)
    assert delivery.event == sent
    consumer.close()
    bus.close()


@pytest.mark.parametrize("flaw", ["a wrong password", "another authority", "no TLS", "nothing"])
def test_who_lacks_one_is_not_served(broker: str, security: BrokerSecurity, flaw: str, tmp_path: Path) -> None:
    wrong = {
        "a wrong password": lambda: replace(security, password="wrong"),
        "another authority": lambda: replace(security, ca=str(issue(tmp_path, "stranger").cert)),
        "no TLS": lambda: replace(security, tls=False, ca=""),
        "nothing": lambda: NO_SECURITY,
    }[flaw]()
    with pytest.raises(KafkaError):
        KafkaAdminClient(bootstrap_servers=broker, bootstrap_timeout_ms=_PATIENCE_MS, **wrong.options())
