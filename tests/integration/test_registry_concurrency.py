"""Callers who act at once: one number each, one winner per etag, one history. On both databases."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mgrd.clients.errors import AbortedError
from mgrd.clients.registry_values import Version
from tests.unit.registry.harness import CANDIDATE, MODEL, Platform

CALLERS = 8


def at_once(act: Callable[[int], object]) -> list[object]:
    """Runs `act` in several threads that start together; an exception is a result."""
    barrier = threading.Barrier(CALLERS)

    def one(index: int) -> object:
        barrier.wait()
        try:
            return act(index)
        except AbortedError as error:
            return error

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(one, range(CALLERS)))


def test_registrations_at_once_get_one_number_each(platform: Platform) -> None:
    manifests = [platform.manifest(seed) for seed in range(CALLERS)]
    trainer = platform.by("trainer")
    found = at_once(lambda index: trainer.create_version(MODEL, manifest=manifests[index]))
    names = sorted(version.name for version in found if isinstance(version, Version))
    assert names == [f"{MODEL}/versions/{number}" for number in range(1, CALLERS + 1)]


def test_the_same_content_at_once_is_one_version(platform: Platform) -> None:
    manifest, trainer = platform.manifest(), platform.by("trainer")
    found = at_once(lambda _: trainer.create_version(MODEL, manifest=manifest))
    assert {version.name for version in found if isinstance(version, Version)} == {f"{MODEL}/versions/1"}
    assert len(list(trainer.list_versions(MODEL))) == 1


def test_the_same_request_at_once_has_one_effect(platform: Platform) -> None:
    version, trainer = platform.version(), platform.by("trainer")
    request_id = str(uuid.uuid4())
    found = at_once(lambda _: trainer.promote(CANDIDATE, version=version.name, request_id=request_id))
    assert all(each == found[0] for each in found)
    assert len(list(trainer.list_promotions(CANDIDATE))) == 1


def test_of_promotions_on_one_etag_exactly_one_wins(platform: Platform) -> None:
    versions = [platform.version(seed) for seed in range(CALLERS)]
    ana = platform.by("ana")
    etag = ana.get_alias(CANDIDATE).etag
    found = at_once(lambda index: ana.promote(CANDIDATE, version=versions[index].name, etag=etag))
    assert sum(isinstance(each, AbortedError) for each in found) == CALLERS - 1
    assert len(list(ana.list_promotions(CANDIDATE))) == 1


def test_promotions_without_an_etag_make_one_chain(platform: Platform) -> None:
    versions = [platform.version(seed) for seed in range(CALLERS)]
    ana = platform.by("ana")
    at_once(lambda index: ana.promote(CANDIDATE, version=versions[index].name))
    history = list(ana.list_promotions(CANDIDATE))[::-1]
    assert {each.version for each in history} == {each.name for each in versions}
    assert [each.previous_version for each in history] == ["", *(each.version for each in history[:-1])]
    assert ana.get_alias(CANDIDATE).version == history[-1].version
