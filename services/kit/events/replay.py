"""Sends dead letters back to where they came from, once their cause is mended.

    python -m services.kit.events.replay [--events-url URL] --topic mgrd.registry

Promises that each letter is replayed once (the replay is a consumer group of its own) and keeps its id, so a
consumer that did handle it drops it.
"""

import argparse
import sys
from dataclasses import replace

from services.kit.events.bus import DEAD_LETTER_SUFFIX, Delivery, Event, EventBus
from services.kit.settings import ServiceSettings

_QUIET_S = 1.0
_BATCH = 100


def replay(bus: EventBus, topic: str, *, quiet_s: float = _QUIET_S) -> int:
    """Moves every dead letter of `topic` back; ends when none came for `quiet_s`. Returns how many."""
    consumer = bus.consumer("replay", [topic + DEAD_LETTER_SUFFIX])
    moved = 0
    try:
        while letters := consumer.poll(_BATCH, timeout_s=quiet_s):
            bus.publish(topic, [_original(letter) for letter in letters])
            consumer.commit()
            moved += len(letters)
    finally:
        consumer.close()
    return moved


def _original(letter: Delivery) -> Event:
    kept = {name: value for name, value in letter.event.extensions.items() if not name.startswith("dlq")}
    return replace(letter.event, extensions=kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events-url", default="", help="default: MGRD_EVENTS_URL, as the services have it")
    parser.add_argument("--topic", required=True)
    options = parser.parse_args()
    named = {"events_url": options.events_url} if options.events_url else {}
    settings = ServiceSettings.from_environment(**named)
    settings.require("events_url")
    count = replay(settings.open_bus(), options.topic)
    sys.stdout.write(f"replayed {count} events to {options.topic}\n")


if __name__ == "__main__":
    main()
