"""The agent's reconciliation, against fakes of everything around it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mgrd.errors import MgrdError
from mgrd.manifest import Manifest, ManifestFile
from services.inference.agent.agent import Agent, AgentOptions
from services.inference.agent.ports import Desired
from services.inference.domain import State, Version
from services.inference.triton import errors
from services.inference.triton.errors import TritonError
from services.inference.triton.repository import ModelRepository, triton_name


def desired(number: int, *aliases: str) -> Desired:
    manifest = Manifest((ManifestFile("config.json", number, f"{number:064x}"),), "front/1", "mgrd_audio_lm")
    version = Version(f"models/m/versions/{number}", manifest.digest, "front/1")
    return Desired(version, manifest, tuple(f"models/m/aliases/{alias}" for alias in aliases))


def name(one: Desired) -> str:
    return triton_name("m", one.version.digest)


@dataclass
class World:
    """A registry, a store, a Triton, a prover and a reporter in memory."""

    wanted: Sequence[Desired] = ()
    registry_down: bool = False
    down: bool = False
    models: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    unloadable: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)
    smokes: list[tuple[str, bool]] = field(default_factory=list)
    reports: list[tuple[str, State, tuple[str, ...]]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    now_s: float = 1000.0
    silence: str = errors.STUB_DEAD

    def desired(self) -> Sequence[Desired]:
        if self.registry_down:
            raise MgrdError("away", reason="UNAVAILABLE")
        return self.wanted

    def record_smoke(self, version: Version, *, passed: bool, replica: str) -> None:
        self.smokes.append((version.name, passed))

    def fetch(self, manifest: Manifest, to: Path) -> None:
        if manifest.digest in self.missing:
            raise MgrdError("not in the store", reason="BLOB_NOT_FOUND")
        to.mkdir()

    def loaded(self) -> frozenset[str]:
        if self.down:
            raise TritonError("away", reason=errors.UNAVAILABLE)
        return frozenset(self.models)

    def load(self, model: str, *, timeout_s: float) -> None:
        if model in self.unloadable:
            raise TritonError("bad weights", reason=errors.LOAD_FAILED)
        self.loads.append(model)
        self.models.add(model)
        self.dead.discard(model)

    def unload(self, model: str, *, timeout_s: float = 1.0) -> None:
        self.models.discard(model)

    def prove(self, model: str, *, front_end_version: str, timeout_s: float) -> None:
        self.probe(model, timeout_s=timeout_s)

    def probe(self, model: str, *, timeout_s: float) -> None:
        if model in self.dead:
            raise TritonError("no answer", reason=self.silence)

    def report(self, version: Version, *, state: State, aliases: Iterable[str] = (), message: str = "") -> None:
        self.reports.append((version.name, state, tuple(aliases)))

    def forget(self, version: Version) -> None:
        self.forgotten.append(version.name)

    def last_state(self, one: Desired) -> State | None:
        return next((state for found, state, _ in reversed(self.reports) if found == one.version.name), None)


OLD, NEW = desired(1, "production"), desired(2, "candidate")


@pytest.fixture
def world() -> World:
    return World(wanted=[OLD, NEW])


@pytest.fixture
def agent(world: World, tmp_path: Path) -> Agent:
    return Agent(
        registry=world, artifacts=world, triton=world, prover=world, reporter=world,
        repository=ModelRepository(tmp_path), options=AgentOptions(replica="r:1", drain_s=30, announce_every_s=1e9),
        clock=lambda: world.now_s,
    )  # fmt: skip


def test_it_loads_proves_and_reports_what_aliases_want(agent: Agent, world: World) -> None:
    agent.reconcile()
    assert world.loads == [name(OLD), name(NEW)]
    assert agent.ready() == {OLD.version.digest, NEW.version.digest}
    assert world.smokes == [(OLD.version.name, True), (NEW.version.name, True)]
    assert [state for _, state, _ in world.reports] == [State.LOADING, State.READY] * 2
    agent.reconcile()
    assert len(world.loads) == 2, "a second turn has nothing to do"


def test_a_promotion_only_reports_since_the_version_is_loaded(agent: Agent, world: World) -> None:
    agent.reconcile()
    moved = desired(2, "candidate", "production")
    world.wanted, world.reports = [moved, desired(1)], []
    agent.reconcile()
    assert len(world.loads) == 2
    assert (moved.version.name, State.READY, moved.aliases) in world.reports


@pytest.mark.parametrize("trouble", ["unloadable", "missing", "dead"])
def test_a_version_that_fails_is_reported_and_the_rest_goes_on(agent: Agent, world: World, trouble: str) -> None:
    getattr(world, trouble).add(NEW.version.digest if trouble == "missing" else name(NEW))
    world.load = (lambda model, **_: world.models.add(model)) if trouble == "dead" else world.load  # type: ignore[method-assign]
    agent.reconcile()
    assert world.last_state(NEW) is State.FAILED
    assert (NEW.version.name, False) in world.smokes
    assert world.last_state(OLD) is State.READY
    assert world.models == {name(OLD)}


def test_a_failed_version_is_tried_again_after_a_while(agent: Agent, world: World) -> None:
    world.unloadable = {name(NEW)}
    agent.reconcile()
    world.unloadable.clear()
    agent.reconcile()
    assert world.last_state(NEW) is State.FAILED
    world.now_s += 61
    agent.reconcile()
    assert world.last_state(NEW) is State.READY


def test_a_manifest_that_is_not_the_versions_is_refused(agent: Agent, world: World) -> None:
    world.wanted = [Desired(NEW.version, OLD.manifest, NEW.aliases)]
    agent.reconcile()
    assert world.loads == []
    assert world.last_state(NEW) is State.FAILED


def test_the_unwanted_is_unloaded_after_the_drain_and_never_while_something_is_missing(
    agent: Agent, world: World
) -> None:
    agent.reconcile()
    third = desired(3, "production")
    world.wanted, world.unloadable = [third], {name(third)}
    world.now_s += 100
    agent.reconcile()
    world.now_s += 20
    agent.reconcile()
    assert {name(OLD), name(NEW)} <= world.models, "the wanted version failed: the old ones may still answer"
    world.unloadable.clear()
    world.now_s += 61
    agent.reconcile()
    assert name(OLD) in world.models, "the drain has begun"
    world.now_s += 31
    agent.reconcile()
    assert world.models == {name(third)}
    assert set(world.forgotten) == {OLD.version.name, NEW.version.name}


def test_a_registry_that_is_away_or_forgot_everything_changes_nothing(agent: Agent, world: World) -> None:
    agent.reconcile()
    world.registry_down = True
    world.now_s += 100
    agent.reconcile()
    world.registry_down, world.wanted = False, []
    for _ in range(3):
        world.now_s += 100
        agent.reconcile()
    assert world.models == {name(OLD), name(NEW)}


def test_a_restarted_triton_is_filled_again(agent: Agent, world: World) -> None:
    agent.reconcile()
    world.models.clear()
    agent.reconcile()
    assert world.models == {name(OLD), name(NEW)}
    world.down = True
    with pytest.raises(TritonError, match="away"):
        agent.reconcile()


def test_a_dead_version_is_loaded_anew_and_the_others_left_alone(agent: Agent, world: World) -> None:
    agent.reconcile()
    world.dead.add(name(OLD))
    assert not agent.probe()
    assert world.loads == [name(OLD), name(NEW), name(OLD)]
    assert [state for found, state, _ in world.reports if found == OLD.version.name][-3:] == [
        State.FAILED,
        State.LOADING,
        State.READY,
    ]
    assert agent.probe()


def test_a_slow_version_is_not_taken_for_dead_at_once(agent: Agent, world: World) -> None:
    agent.reconcile()
    world.silence = errors.TIMEOUT
    world.dead.add(name(OLD))
    agent.probe()
    agent.probe()
    assert len(world.loads) == 2
    agent.probe()
    assert world.loads[-1] == name(OLD)


def test_a_new_agent_proves_what_is_loaded_without_loading_it(agent: Agent, world: World) -> None:
    world.models = {name(OLD), name(NEW)}
    agent.reconcile()
    assert world.loads == []
    assert agent.ready() == {OLD.version.digest, NEW.version.digest}


def test_what_was_left_loaded_and_died_is_loaded_anew_and_not_blamed(agent: Agent, world: World) -> None:
    world.models = {name(OLD), name(NEW)}
    world.dead.add(name(OLD))
    agent.reconcile()
    assert world.loads == [name(OLD)]
    assert (OLD.version.name, False) not in world.smokes
    assert agent.ready() == {OLD.version.digest, NEW.version.digest}
