"""A consumer process for crash tests: counts each event of a topic in its database until it is killed.

python -m tests.support.consuming EVENTS_URL DATABASE_URL TOPIC
"""

import sys
import threading

from google.protobuf.message import Message

from services.kit.database import Database, UnitOfWork
from services.kit.events.bus import open_bus
from services.kit.events.subscription import Subscription


def _count(work: UnitOfWork, body: Message) -> None:
    work.audit(body.alias, "event.counted")


def main() -> None:
    events_url, database_url, topic = sys.argv[1:]
    handlers = {"mgrd.alias.moved.v1": _count}
    subscription = Subscription(
        Database(database_url), open_bus(events_url), group="counting", topics=[topic], handlers=handlers
    )
    subscription.run(threading.Event())


if __name__ == "__main__":
    main()
