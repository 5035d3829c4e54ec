"""One author's candidates are bounded, since serving loads them all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrd.clients.errors import FailedPreconditionError
from mgrd.clients.registry_values import Lineage, Version
from tests.unit.registry.harness import CANDIDATE, MODEL, PRODUCTION, Platform, running


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """Two candidates an author, and three models beside nano."""
    with running(tmp_path, registry_candidates_per_author=2) as found:
        for model in ("one", "two", "three"):
            found.by("ana").create_model(model)
        yield found


def version(platform: Platform, model: str, seed: int, *, author: str = "ana", run: str = "") -> Version:
    lineage = Lineage(run=run)
    return platform.by(author).create_version(f"models/{model}", manifest=platform.manifest(seed), lineage=lineage)


def make_candidate(platform: Platform, found: Version, *, by: str = "ana", dry: bool = False) -> None:
    alias = f"{found.name.partition('/versions/')[0]}/aliases/candidate"
    platform.by(by).promote(alias, version=found.name, validate_only=dry)


def full(platform: Platform) -> None:
    for seed, model in enumerate(("one", "two")):
        make_candidate(platform, version(platform, model, seed))


@pytest.mark.parametrize("dry", [True, False])
def test_one_too_many_is_refused_with_what_is_in_the_way_and_the_remedy(platform: Platform, dry: bool) -> None:
    full(platform)
    with pytest.raises(FailedPreconditionError) as refused:
        make_candidate(platform, version(platform, "three", 3), dry=dry)
    assert refused.value.reason == "TOO_MANY_CANDIDATES"
    for said in (
        "ana has 2 candidates",
        "models/one/aliases/candidate",
        "models/two/aliases/candidate",
        "in production",
    ):
        assert said in str(refused.value)
    assert platform.by("rita").get_alias("models/three/aliases/candidate").version == ""


def test_a_candidate_may_be_replaced_and_others_have_room_of_their_own(platform: Platform) -> None:
    full(platform)
    make_candidate(platform, version(platform, "two", 7))
    make_candidate(platform, version(platform, "three", 3, author="cem"), by="cem")


def test_moving_a_version_of_others_counts_for_who_moved_it(platform: Platform) -> None:
    full(platform)
    of_cem = version(platform, "three", 3, author="cem")
    with pytest.raises(FailedPreconditionError, match="ana has 2 candidates"):
        make_candidate(platform, of_cem)


def test_a_step_registers_for_who_started_its_run(platform: Platform) -> None:
    for seed, model in enumerate(("one", "two", "three")):
        make_candidate(platform, version(platform, model, seed, author="trainer"), by="trainer")
    for seed, model in enumerate(("one", "two"), 10):
        make_candidate(platform, version(platform, model, seed, author="trainer", run="runs/of-cem"), by="trainer")
    with pytest.raises(FailedPreconditionError, match="cem has 2 candidates"):
        make_candidate(platform, version(platform, "three", 12, author="trainer", run="runs/of-cem"), by="trainer")


def test_what_is_in_production_takes_no_room(platform: Platform) -> None:
    released = platform.ready(20)
    platform.by("ana").promote(PRODUCTION, version=released.name)
    full(platform)
    platform.by("ana").promote(CANDIDATE, version=released.name)
    assert platform.by("rita").get_alias(CANDIDATE).version == released.name
    assert released.name.startswith(MODEL)


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    with running(tmp_path, registry_candidates_per_author=0) as platform:
        for seed, model in enumerate(("one", "two", "three", "four", "five", "six")):
            platform.by("ana").create_model(model)
            make_candidate(platform, version(platform, model, seed))
