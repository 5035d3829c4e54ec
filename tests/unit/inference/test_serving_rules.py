"""Who answers for an alias, and what an agent has to do."""

from datetime import UTC, datetime

from services.inference.domain import (
    Alias,
    Deployment,
    State,
    Version,
    by_urgency,
    choose_route,
    expected,
    plan,
    settled,
)

OLD, NEW = Version("models/m/versions/1", "sha256:old"), Version("models/m/versions/2", "sha256:new")
ALIAS = Alias("models/m/aliases/production", wanted=NEW, serving=OLD)


def held(version: Version, state: State = State.READY, *, replica: str = "a:1") -> Deployment:
    return Deployment(replica, version, state, "", datetime.now(UTC))


def test_the_wanted_version_answers_on_every_replica_that_holds_it() -> None:
    route = choose_route(ALIAS, deployments=[held(NEW, replica="b:1"), held(OLD), held(NEW)])
    assert route is not None
    assert (route.version, route.replicas) == (NEW, ("a:1", "b:1"))


def test_until_the_wanted_version_is_ready_the_one_before_answers() -> None:
    for state in (State.LOADING, State.FAILED, State.DRAINING):
        route = choose_route(ALIAS, deployments=[held(OLD), held(NEW, state)])
        assert route is not None
        assert route.version == OLD


def test_nobody_answers_where_nothing_is_ready() -> None:
    assert choose_route(ALIAS, deployments=[held(NEW, State.FAILED)]) is None
    assert choose_route(Alias("x", wanted=NEW), deployments=[held(OLD)]) is None


def test_a_replica_that_has_not_said_a_word_of_the_wanted_version_is_loading_it() -> None:
    told = [held(OLD), held(OLD, replica="b:1"), held(NEW, State.FAILED, replica="b:1")]
    assert [
        (one.replica, one.version, one.state) for one in expected(ALIAS, deployments=told, at=told[0].observe_time)
    ] == [("a:1", NEW, State.LOADING)]


def test_an_alias_settles_on_what_it_wants_once_that_is_ready() -> None:
    assert settled(ALIAS, deployments=[held(OLD)]).serving == OLD
    assert settled(ALIAS, deployments=[held(OLD), held(NEW)]).serving == NEW


def test_an_agent_loads_what_is_not_proved_in_the_order_it_is_wanted() -> None:
    assert plan(["new", "old"], proven=[], loaded=["old"], failed=[]).load == ("new", "old")
    assert plan(["new", "old"], proven=["new"], loaded=["new"], failed=["old"]).load == ()


def test_nothing_is_surplus_while_something_wanted_is_not_proved() -> None:
    assert plan(["new"], proven=["new"], loaded=["new", "stale"], failed=[]).surplus == ("stale",)
    assert plan(["new"], proven=[], loaded=["new", "stale"], failed=[]).surplus == ()
    assert plan(["new"], proven=["stale"], loaded=["stale"], failed=["new"]).surplus == ()
    assert plan([], proven=[], loaded=["stale"], failed=[]).surplus == ()


def test_production_is_loaded_first_and_the_fallback_last() -> None:
    third = Version("models/m/versions/3", "sha256:third")
    aliases = [("models/m/aliases/candidate", NEW), ("models/m/aliases/production", OLD)]
    assert by_urgency(aliases, fallbacks=[third, OLD]) == (OLD, NEW, third)
