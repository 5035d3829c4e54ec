"""A Kafka broker that goes away and comes back: the events committed meanwhile arrive, once and in order."""

import subprocess
import time
from pathlib import Path

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.background import BackgroundThreads
from services.kit.database import Database
from services.kit.events.bus import open_bus
from services.kit.events.relay import Relay
from services.kit.events.subscription import Subscription
from services.kit.events.types import type_of
from tests.support.brokers import SCRIPT, kafka_broker
from tests.support.events import kit_database
from tests.support.ports import wait_for_port

TOPIC = "mgrd.outage"


def _publish(database: Database, *bodies: str) -> None:
    with database.unit_of_work() as work:
        for body in bodies:
            work.publish(AliasMoved(alias=body), subject=body, key="one")
        work.commit()


def test_events_committed_while_the_broker_is_away_arrive_in_order(tmp_path: Path) -> None:
    producer, consumer = kit_database(tmp_path, "producer"), kit_database(tmp_path, "consumer")
    folder, handled = tmp_path / "broker", []
    with kafka_broker(folder) as address:
        bus = open_bus(f"kafka://{address}")
        handlers = {type_of(AliasMoved()): lambda _work, body: handled.append(body.alias)}
        workers = BackgroundThreads(
            [
                Relay(producer, bus, source="mgrd/test", topic=TOPIC),
                Subscription(consumer, bus, group="g", topics=[TOPIC], handlers=handlers),
            ]
        )
        workers.start()
        _publish(producer, "before")
        _wait(handled, 1)
        subprocess.run([SCRIPT, "stop", folder], check=True)
        _publish(producer, "meanwhile-1", "meanwhile-2")
        port = address.rpartition(":")[2]
        subprocess.run([SCRIPT, "start", folder, port], check=True, stdout=subprocess.DEVNULL)
        wait_for_port(int(port), timeout_s=180)
        _publish(producer, "after")
        _wait(handled, 4)
        workers.stop(timeout_s=20)
        bus.close()
    assert handled == ["before", "meanwhile-1", "meanwhile-2", "after"]


def _wait(handled: list[str], count: int) -> None:
    ends_at = time.monotonic() + 180
    while len(handled) < count:
        assert time.monotonic() < ends_at, handled
        time.sleep(0.05)
