"""Producer and consumers as processes on one embedded log, killed again and again: every event counts exactly once."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.events.bus import open_bus
from services.kit.tables import KIT
from tests.support.events import an_event, drain, kit_database

ROOT = Path(__file__).parents[2]
TOPIC = "mgrd.registry"
LAST = 200
Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts modules as processes; those still there are killed at the end."""
    started: list[subprocess.Popen] = []

    def start_module(module: str, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        started.append(subprocess.Popen(command, cwd=ROOT))
        return started[-1]

    yield start_module
    for process in started:
        process.kill()
        process.wait()


def test_killed_producers_and_consumers_lose_and_repeat_nothing(start: Start, tmp_path: Path) -> None:
    producer, consumer = kit_database(tmp_path, "producer"), kit_database(tmp_path, "consumer")
    events = f"sqlite:///{tmp_path}/events.db"
    commands = {
        "relay": ("tests.support.relaying", events, producer.engine.url, TOPIC, LAST),
        "one": ("tests.support.consuming", events, consumer.engine.url, TOPIC),
        "two": ("tests.support.consuming", events, consumer.engine.url, TOPIC),
    }
    running = {name: start(*command) for name, command in commands.items()}
    chance = random.Random(7)
    for _ in range(6):
        before = len(_counted(consumer))
        _until(lambda before=before: len(_counted(consumer)) > before or len(_counted(consumer)) == LAST)
        victim = chance.choice(list(commands))
        running[victim].kill()
        running[victim].wait()
        running[victim] = start(*commands[victim])
    _until(lambda: len(_counted(consumer)) >= LAST)
    counted = _counted(consumer)
    assert sorted(counted, key=int) == [str(number) for number in range(LAST)]
    for key in range(3):
        of_key = [int(number) for number in counted if int(number) % 3 == key]
        assert of_key == sorted(of_key)


def test_processes_that_publish_at_once_give_consecutive_offsets(start: Start, tmp_path: Path) -> None:
    events = f"sqlite:///{tmp_path}/events.db"
    databases = [kit_database(tmp_path, f"producer-{number}") for number in range(3)]
    for database in databases:
        start("tests.support.relaying", events, database.engine.url, TOPIC, 50)
    reader = open_bus(events).consumer("looking", [TOPIC])
    found = drain(reader, want=150, timeout_s=120)
    assert len({delivery.event.id for delivery in found}) == 150
    for partition in {delivery.partition for delivery in found}:
        offsets = [delivery.offset for delivery in found if delivery.partition == partition]
        assert offsets == list(range(len(offsets)))
    assert {AliasMoved.FromString(delivery.event.data).alias for delivery in found} == {str(n) for n in range(50)}
    reader.close()


def test_a_dead_members_partitions_are_taken_over_at_once(start: Start, tmp_path: Path) -> None:
    events, consumer = f"sqlite:///{tmp_path}/events.db", kit_database(tmp_path, "consumer")
    bus = open_bus(events)
    dying = start("tests.support.consuming", events, consumer.engine.url, TOPIC)
    bus.publish(TOPIC, [an_event(body="0")])
    _until(lambda: len(_counted(consumer)) == 1)
    dying.kill()
    dying.wait()
    killed_at = time.monotonic()
    bus.publish(TOPIC, [an_event(str(number), body="after") for number in range(8)])
    heir = bus.consumer("counting", [TOPIC])
    assert len([found for found in drain(heir, want=8) if found.event.key != "k"]) >= 7
    assert time.monotonic() - killed_at < 60  # its lease would have lasted two minutes
    heir.close()


def _counted(database: object) -> list[str]:
    with database.unit_of_work(read_only=True) as work:
        return list(work.session.execute(select(KIT.audit.c.resource).order_by(KIT.audit.c.seq)).scalars())


def _until(reached: Callable[[], bool], *, timeout_s: float = 180) -> None:
    ends_at = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < ends_at, "it did not happen in time"
        time.sleep(0.02)
