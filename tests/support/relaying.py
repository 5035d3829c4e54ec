"""A producer process for crash tests: commits numbered events and relays them until it is killed.

python -m tests.support.relaying EVENTS_URL DATABASE_URL TOPIC LAST
"""

import sys
import threading

from sqlalchemy import func, select

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.background import BackgroundThreads
from services.kit.database import Database
from services.kit.events.bus import open_bus
from services.kit.events.relay import Relay
from services.kit.tables import KIT


def main() -> None:
    events_url, database_url, topic, last = sys.argv[1:]
    database = Database(database_url)
    BackgroundThreads([Relay(database, open_bus(events_url), source="mgrd/test", topic=topic)]).start()
    with database.unit_of_work(read_only=True) as work:
        done = work.session.execute(select(func.count()).select_from(KIT.outbox)).scalar_one()
    for number in range(done, int(last)):
        with database.unit_of_work() as work:
            work.publish(AliasMoved(alias=str(number)), subject="s", key=f"k{number % 3}")
            work.commit()
    threading.Event().wait()


if __name__ == "__main__":
    main()
