"""Aliases: history is a stack."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.registry.domain.aliases import Alias, Promotion, rollback_target, standing
from services.registry.domain.gates import Gate

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def moves(*steps: int) -> list[Promotion]:
    """Promotions to these versions; a negative number is a rollback to that version."""
    return [
        Promotion(
            model="nano",
            alias="production",
            sequence=index,
            number=abs(step),
            digest="",
            previous_number=None,
            actor="ana",
            reason="",
            create_time=WHEN,
            rollback=step < 0,
        )
        for index, step in enumerate(steps, 1)
    ]


@pytest.mark.parametrize(
    ("steps", "target"),
    [
        ((), None),
        ((1,), None),
        ((1, 2), 1),
        ((1, 2, 3), 2),
        ((1, 2, 3, -2), 1),
        ((1, 2, 3, -2, -1), None),
        ((1, 2, 3, -2, 4), 2),
        ((1, 2, 1), 2),
    ],
)
def test_a_rollback_leads_to_the_previous_distinct_version(steps, target):
    assert rollback_target(moves(*steps), usable=lambda _: True) == target


def test_versions_that_may_not_serve_are_passed_over():
    assert rollback_target(moves(1, 2, 3), usable=lambda number: number != 2) == 1
    assert rollback_target(moves(1, 2, 1), usable=lambda number: number != 2) is None


def test_a_rollback_past_an_archived_version_takes_it_off_the_stack():
    assert standing(moves(1, 2, 3, -1)) == [1]


def test_the_etag_changes_with_every_revision_and_alias():
    alias = Alias(model="nano", alias="production", gate=Gate(), revision=1, update_time=WHEN)
    others = [replace(alias, revision=2), replace(alias, alias="candidate"), replace(alias, model="big")]
    assert len({each.etag for each in [alias, *others]}) == 4
