"""What the kit promises of a database, on SQLite and on a real PostgreSQL."""

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.auth import Caller
from services.kit.database import Database
from services.kit.errors import InvalidArgument
from services.kit.events.relay import Relay, clean
from services.kit.idempotency import idempotent
from services.kit.leases import Lease
from services.kit.migrations import migrate
from services.kit.tables import KIT, now
from tests.support.postgres import postgres_server

ADA = Caller(subject="ada", kind="person", roles=frozenset({"author"}))
BOB = Caller(subject="bob", kind="person", roles=frozenset({"author"}))
OWN = MetaData()
COUNTERS = Table("counters", OWN, Column("name", String(20), primary_key=True), Column("value", Integer))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/service.db"
    server = create_engine(request.getfixturevalue("postgres"), isolation_level="AUTOCOMMIT")
    name = f"t{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    return str(server.url.set(database=name).render_as_string(hide_password=False))


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    KIT.outbox.metadata.create_all(database.engine)
    OWN.create_all(database.engine)
    yield database
    database.close()


def _rows(database: Database, table: Table) -> list:
    with database.unit_of_work(read_only=True) as work:
        return list(work.session.execute(select(table)).all())


def _fill(database: Database, **values: int) -> None:
    with database.unit_of_work() as work:
        for name, value in values.items():
            work.session.execute(insert(COUNTERS).values(name=name, value=value))
        work.commit()


def test_state_audit_and_event_are_committed_together(database: Database) -> None:
    with database.unit_of_work(ADA) as work:
        work.session.execute(insert(COUNTERS).values(name="a", value=1))
        work.audit("models/m", "model.created", size=3)
        work.publish(AliasMoved(alias="x"), subject="models/m", key="models/m")
        work.commit()
    [record] = _rows(database, KIT.audit)
    [event] = _rows(database, KIT.outbox)
    assert (record.actor, record.action, record.details) == ("ada", "model.created", {"size": "3"})
    assert (event.type, AliasMoved.FromString(event.data).alias) == ("mgrd.alias.moved.v1", "x")
    assert abs((now() - event.time).total_seconds()) < 60
    assert database.events_written.is_set()


def test_without_a_commit_nothing_stays(database: Database) -> None:
    with database.unit_of_work(ADA) as work:
        work.audit("models/m", "model.created")
        work.publish(AliasMoved(), subject="s", key="k")
    assert _rows(database, KIT.audit) == _rows(database, KIT.outbox) == []
    assert not database.events_written.is_set()


def test_an_error_rolls_back(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work(ADA) as work:
        work.audit("models/m", "model.created")
        raise RuntimeError
    assert _rows(database, KIT.audit) == []


def test_a_read_only_unit_cannot_write_on_postgres_and_never_waits_on_sqlite(database: Database) -> None:
    _fill(database, a=1)
    if database.engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="read-only"):
            with database.unit_of_work(read_only=True) as work:
                work.audit("x", "y")
        return
    with database.unit_of_work() as writer:
        writer.session.execute(update(COUNTERS).values(value=2))
        assert [row.value for row in _rows(database, COUNTERS)] == [1]


def test_racing_increments_are_all_counted(database: Database) -> None:
    _fill(database, a=0)

    def increment() -> None:
        with database.unit_of_work() as work:
            value = work.session.execute(select(COUNTERS.c.value)).scalar_one()
            work.session.execute(update(COUNTERS).values(value=value + 1))
            work.commit()

    _race(lambda: database.retrying(increment, attempts=20), times=4, each=5)
    assert [row.value for row in _rows(database, COUNTERS)] == [20]


def test_racing_creates_get_one_number_each(database: Database) -> None:
    def create() -> None:
        with database.unit_of_work() as work:
            number = len(work.session.execute(select(COUNTERS)).all()) + 1
            work.session.execute(insert(COUNTERS).values(name=str(number), value=number))
            work.commit()

    _race(lambda: database.retrying(create, attempts=20), times=4, each=3)
    assert sorted(row.value for row in _rows(database, COUNTERS)) == list(range(1, 13))


def _race(action: Callable[[], None], *, times: int, each: int) -> None:
    failures: list[BaseException] = []

    def runner() -> None:
        try:
            for _ in range(each):
                action()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            failures.append(error)

    threads = [threading.Thread(target=runner) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _ask(database: Database, request_id: str, *, body: str = "a", caller: Caller = ADA) -> tuple[AliasMoved, int]:
    made = []

    def make() -> AliasMoved:
        made.append(1)
        return AliasMoved(alias=f"answer to {body}")

    def transaction() -> AliasMoved:
        with database.unit_of_work(caller) as work:
            answer = idempotent(work, request_id=request_id, method="/M", request=AliasMoved(alias=body), make=make)
            work.commit()
            return answer

    return database.retrying(transaction), len(made)


def test_a_repeated_request_gets_the_same_answer_and_no_second_effect(database: Database) -> None:
    request_id = str(uuid.uuid4())
    first, made_first = _ask(database, request_id)
    again, made_again = _ask(database, request_id.upper())
    assert (again, made_first, made_again) == (first, 1, 0)


def test_a_request_id_with_another_body_is_refused(database: Database) -> None:
    request_id = str(uuid.uuid4())
    _ask(database, request_id)
    with pytest.raises(InvalidArgument, match="another body") as refused:
        _ask(database, request_id, body="b")
    assert refused.value.field == "request_id"


def test_a_request_id_is_the_callers_own(database: Database) -> None:
    request_id = str(uuid.uuid4())
    _ask(database, request_id)
    _, made = _ask(database, request_id, body="b", caller=BOB)
    assert made == 1


@pytest.mark.parametrize("request_id", ["", "1", "../x", "g" * 36, "0" * 5000])
def test_a_request_id_that_is_no_uuid_is_refused(database: Database, request_id: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        _ask(database, request_id)
    assert refused.value.field == "request_id"
    assert len(refused.value.message) < 300


def test_racing_retries_of_one_request_have_one_effect(database: Database) -> None:
    request_id, made = str(uuid.uuid4()), []

    def attempt() -> None:
        made.append(_ask(database, request_id)[0].alias)

    _race(attempt, times=4, each=1)
    assert made == ["answer to a"] * 4
    assert len(_rows(database, KIT.requests)) == 1


def test_a_lease_has_one_holder_until_it_is_released(database: Database) -> None:
    first, second = Lease(database, "job"), Lease(database, "job")
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.release()
    assert second.hold()


def test_the_lease_of_a_dead_process_is_free_at_once(database: Database) -> None:
    taken = Lease(database, "job", lease_s=1000)
    assert taken.hold()
    with database.unit_of_work() as work:
        # As a process of this machine that has ended would have left it.
        held = work.session.execute(select(KIT.leases.c.holder)).scalar_one().split("/")
        work.session.execute(update(KIT.leases).values(holder=f"{held[0]}/999999999/0.00/dead"))
        work.commit()
    assert Lease(database, "job").hold()


def test_published_events_are_forgotten_after_a_week_and_others_never(database: Database) -> None:
    class Bus:
        def publish(self, topic: str, events: list) -> None:
            self.sent = [event.id for event in events]

    with database.unit_of_work() as work:
        work.publish(AliasMoved(alias="old"), subject="s", key="k")
        work.commit()
    Relay(database, Bus(), source="s", topic="t").publish_pending()
    with database.unit_of_work() as work:
        published_at = work.session.execute(select(KIT.outbox.c.published_at)).scalar_one()
        work.session.execute(update(KIT.outbox).values(published_at=published_at - timedelta(days=8)))
        work.publish(AliasMoved(alias="new"), subject="s", key="k")
        work.commit()
    clean(database)
    assert [AliasMoved.FromString(row.data).alias for row in _rows(database, KIT.outbox)] == ["new"]


def test_migrating_is_repeatable(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = f"svc{uuid.uuid4().hex[:8]}"
    versions = tmp_path / package / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    (versions / "0001_first.py").write_text(
        "from alembic import op\nfrom services.kit.tables import kit_tables_upgrade\n"
        "revision = '0001'\ndown_revision = None\n\ndef upgrade() -> None:\n    kit_tables_upgrade(op)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):
        migrate(empty_url, package=package)
    engine = create_engine(empty_url)
    assert {"outbox", "inbox", "audit", "requests", "leases"} <= set(inspect(engine).get_table_names())
    engine.dispose()
