"""A version's state only moves forward, and never under an alias."""

from datetime import UTC, datetime

import pytest

from mgrd.manifest import Manifest, ManifestFile
from services.kit.errors import FailedPrecondition
from services.registry.domain.versions import Version, VersionState, archived, deleted

MANIFEST = Manifest(files=(ManifestFile("config.json", 1, "0" * 64),), front_end_version="fe", architecture="a")


def version(state: VersionState, *aliases: str) -> Version:
    return Version(
        model="nano",
        number=1,
        digest=MANIFEST.digest,
        manifest=MANIFEST,
        state=state,
        author="ana",
        create_time=datetime(2026, 1, 1, tzinfo=UTC),
        aliases=aliases,
    )


def test_a_version_is_archived_and_then_deleted():
    assert archived(version(VersionState.ACTIVE)) is VersionState.ARCHIVED
    assert deleted(version(VersionState.ARCHIVED)) is VersionState.DELETED


@pytest.mark.parametrize(
    ("transition", "subject", "reason"),
    [
        (archived, version(VersionState.ACTIVE, "production"), "VERSION_IN_USE"),
        (archived, version(VersionState.ARCHIVED), "ILLEGAL_TRANSITION"),
        (archived, version(VersionState.DELETED), "ILLEGAL_TRANSITION"),
        (deleted, version(VersionState.ACTIVE), "ILLEGAL_TRANSITION"),
        (deleted, version(VersionState.DELETED), "ILLEGAL_TRANSITION"),
    ],
)
def test_other_transitions_are_refused(transition, subject, reason):
    with pytest.raises(FailedPrecondition) as caught:
        transition(subject)
    assert caught.value.reason == reason
