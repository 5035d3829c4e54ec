"""Imports without the collector: it is as it was afterwards, whatever happened, and leaves alone what came in."""

import gc

import pytest

from mgrd.importing import quick_imports


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_and_is_then_as_it_was(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ImportError), quick_imports():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_what_came_in_is_not_searched_again() -> None:
    before = gc.get_freeze_count()
    with quick_imports():
        kept = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= before + len(kept)
    gc.unfreeze()
