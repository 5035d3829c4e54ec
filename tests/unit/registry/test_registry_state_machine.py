"""Whatever order people act in: the alias, its history and its gate agree with a few lines of plain Python.

The machine drives the use cases on an in-memory database; its own model is lists and sets and shares no code with
the registry's rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.auth import Caller
from services.kit.database import Database
from services.kit.errors import Aborted, FailedPrecondition, PermissionDenied, ServiceError
from services.registry.domain.aliases import Alias
from services.registry.domain.gates import Comparison, Gate, Requirement
from services.registry.domain.versions import Lineage
from services.registry.tables import METADATA
from services.registry.usecases import evaluations, gates, models, promotions, versions
from services.registry.usecases.context import Context
from tests.unit.registry.harness import CALLERS, MemoryStore, checkpoint, written_events

ALIAS = {"model": "nano", "alias": "production"}
DEMAND = Requirement("heldout", "accuracy", Comparison.AT_LEAST_CURRENT_PLUS, -0.02)
START = datetime(2026, 1, 1, tzinfo=UTC)

pick = st.integers(min_value=0, max_value=10_000)


@dataclass
class Known:
    """What the machine knows of a version."""

    authors: set[str]
    state: str = "ACTIVE"
    accuracy: float | None = None
    proved: bool = False
    approvers: set[str] = field(default_factory=set)


class Releases(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.database = Database("sqlite://")
        METADATA.create_all(self.database.engine)
        self.store = MemoryStore()
        self.minutes = 0
        self.known: dict[int, Known] = {}
        self.contents: dict[int, int] = {}
        self.gate = Gate(requirements=(DEMAND,), approvals=1, smoke_required=True)
        self.served: list[int] = []
        self.history: list[tuple[int, int | None, bool]] = []
        self.etags: list[str] = []
        gate_by_alias = {"production": self.gate}
        self.does(
            "ana", lambda ctx: models.create_model(ctx, model_id="nano", description="", default_gates=gate_by_alias)
        )
        self.etags.append(self.alias().etag)
        for content in range(3):
            self.register(content, "trainer")

    def teardown(self) -> None:
        self.database.close()

    def does(self, subject: str, act: Callable[[Context], object]) -> object:
        kind, roles = CALLERS[subject]
        self.minutes += 1
        with self.database.unit_of_work(Caller(subject=subject, kind=kind, roles=frozenset(roles))) as work:
            result = act(Context(work, self.store, START + timedelta(minutes=self.minutes)))
            work.commit()
            return result

    def refusal(self, subject: str, act: Callable[[Context], object]) -> ServiceError | None:
        try:
            self.does(subject, act)
        except ServiceError as error:
            return error
        return None

    def alias(self) -> Alias:
        found = self.does("rita", lambda ctx: ctx.alias(**ALIAS))
        assert isinstance(found, Alias)
        return found

    def some(self, number: int) -> int:
        return sorted(self.known)[number % len(self.known)]

    # What people do

    @rule(content=st.integers(0, 2), author=st.sampled_from(["trainer", "cem"]))
    def register(self, content: int, author: str) -> None:
        manifest = checkpoint(self.store, content)
        version = self.does(
            author,
            lambda ctx: versions.create_version(
                ctx, model="nano", manifest=manifest, lineage=Lineage(), description=""
            ),
        )
        known = self.contents.get(content)
        if known is None or self.known[known].state == "DELETED":
            expected = len(self.known) + 1
            self.known[expected] = Known({author})
            self.contents[content] = expected
        else:
            expected = known
            self.known[known].authors.add(author)
        assert version.number == expected

    def evaluate(self, number: int, accuracy: float) -> None:
        refused = self.record("trainer", number, "heldout", {"accuracy": accuracy})
        if not refused:
            self.known[number].accuracy = accuracy

    def prove(self, number: int, passed: bool) -> None:
        refused = self.record("triton", number, "smoke", {"passed": float(passed)})
        if not refused:
            self.known[number].proved = passed

    def record(self, subject: str, number: int, suite: str, metrics: dict[str, float]) -> bool:
        refused = self.refusal(
            subject,
            lambda ctx: evaluations.create_evaluation(
                ctx, model="nano", number=number, suite=suite, metrics=metrics, data_digest="d"
            ),
        )
        assert (refused is not None) == (self.known[number].state == "DELETED")
        return refused is not None

    def approve(self, number: int, approver: str) -> None:
        version = self.known[number]
        refused = self.refusal(approver, lambda ctx: gates.create_approval(ctx, number=number, comment="", **ALIAS))
        if approver in version.authors:
            assert isinstance(refused, PermissionDenied)
        elif version.state != "ACTIVE":
            assert isinstance(refused, FailedPrecondition)
        else:
            assert refused is None
            version.approvers.add(approver)

    @rule(
        number=pick,
        accuracy=st.sampled_from([None, 0.5, 0.78, 0.79, 0.8]),
        passed=st.sampled_from([None, True, True, False]),
        approver=st.sampled_from([None, "ben", "cem"]),
        etag=st.sampled_from(["", "now", "now", "stale"]),
    )
    def release(
        self, number: int, accuracy: float | None, passed: bool | None, approver: str | None, etag: str
    ) -> None:
        number = self.some(number)
        if accuracy is not None:
            self.evaluate(number, accuracy)
        if passed is not None:
            self.prove(number, passed)
        if approver is not None:
            self.approve(number, approver)
        self.promote(number, etag)

    @rule(approvals=st.integers(0, 2))
    def set_gate(self, approvals: int) -> None:
        gate = Gate(requirements=(DEMAND,), approvals=approvals, smoke_required=True)
        self.does("olga", lambda ctx: gates.set_gate(ctx, gate=gate, **ALIAS))
        if gate != self.gate:
            self.gate = gate
            self.etags.append(self.alias().etag)
            for version in self.known.values():
                version.approvers.clear()

    def promote(self, number: int, etag: str) -> None:
        sent = {"": "", "now": self.etags[-1], "stale": self.etags[0]}[etag]
        refused = self.refusal(
            "olga",
            lambda ctx: promotions.promote(ctx, number=number, reason="", etag=sent, validate_only=False, **ALIAS),
        )
        if sent and sent != self.etags[-1]:
            assert isinstance(refused, Aborted)
        elif self.served and self.served[-1] == number:
            assert refused is None
        elif self.lacks(number):
            assert isinstance(refused, FailedPrecondition)
            assert [each.type for each in refused.violations] == self.lacks(number)
        else:
            assert refused is None
            self.moved(number, rollback=False)
            self.served.append(number)

    @rule()
    def roll_back(self) -> None:
        refused = self.refusal("olga", lambda ctx: promotions.rollback(ctx, reason="", etag="", **ALIAS))
        earlier = [
            index
            for index, number in enumerate(self.served[:-1])
            if number != self.served[-1] and self.known[number].state == "ACTIVE"
        ]
        if not earlier:
            assert isinstance(refused, FailedPrecondition)
            return
        assert refused is None
        self.known[self.served[-1]].approvers.clear()
        self.moved(self.served[earlier[-1]], rollback=True)
        self.served = self.served[: earlier[-1] + 1]

    @rule(number=pick)
    def archive(self, number: int) -> None:
        number = self.some(number)
        refused = self.refusal("ana", lambda ctx: versions.archive_version(ctx, model="nano", number=number))
        allowed = self.known[number].state == "ACTIVE" and number not in self.served[-1:]
        assert (refused is None) == allowed
        if allowed:
            self.known[number].state = "ARCHIVED"

    @rule(number=pick)
    def delete(self, number: int) -> None:
        number = self.some(number)
        refused = self.refusal("ana", lambda ctx: versions.delete_version(ctx, model="nano", number=number))
        assert (refused is None) == (self.known[number].state == "ARCHIVED")
        if refused is None:
            self.known[number].state = "DELETED"

    # What the machine expects

    def lacks(self, number: int) -> list[str]:
        version = self.known[number]
        current = self.known[self.served[-1]].accuracy if self.served else None
        found = [] if version.state == "ACTIVE" else ["VERSION_STATE"]
        if version.accuracy is None:
            found.append("EVALUATION_MISSING")
        elif current is not None and version.accuracy < current - 0.02:
            found.append("THRESHOLD")
        found += [] if version.proved else ["SMOKE"]
        found += [] if len(version.approvers - version.authors) >= self.gate.approvals else ["APPROVALS"]
        return found

    def moved(self, number: int, *, rollback: bool) -> None:
        self.history.append((number, self.served[-1] if self.served else None, rollback))
        self.etags.append(self.alias().etag)

    @invariant()
    def alias_history_events_and_past_agree(self) -> None:
        self.does("rita", self.compare)

    def compare(self, ctx: Context) -> None:
        alias = ctx.alias(**ALIAS)
        assert alias.number == (self.served[-1] if self.served else None)
        assert alias.etag == self.etags[-1]
        assert len(set(self.etags)) == len(self.etags)
        moves = ctx.promotions.all(alias)
        assert [(move.number, move.previous_number, move.rollback) for move in moves] == self.history
        events = [event for event in written_events(ctx.work) if isinstance(event, AliasMoved)]
        assert [(event.version, event.rollback) for event in events] == [
            (move.version, move.rollback) for move in moves
        ]
        for move in moves[-2:]:
            then = ctx.aliases.at(**ALIAS, time=move.create_time)
            assert then is not None
            assert then.number == move.number


# Without shrinking: twenty steps can be read, and a failure is told at once.
Releases.TestCase.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, phases=(Phase.reuse, Phase.generate)
)
TestReleases = Releases.TestCase
