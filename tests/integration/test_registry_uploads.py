"""Uploads: any order, again, resumed, cut wrongly, given up, and what the collector leaves alone."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mgrd.clients.errors import CallError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from mgrd.clients.registry_values import Upload
from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry.collector import Collector
from services.registry.usecases import garbage
from services.registry.usecases.context import Context
from tests.unit.registry.harness import CANDIDATE, MODEL, Platform, running

PART_BYTES = 4 * 2**20
CONTENT = os.urandom(2 * PART_BYTES + 1234)
PARTS = [CONTENT[start : start + PART_BYTES] for start in range(0, len(CONTENT), PART_BYTES)]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with running(tmp_path) as found:
        yield found


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def opened(platform: Platform, content: bytes = CONTENT) -> Upload:
    return platform.by("ana").create_upload(size_bytes=len(content), sha256=sha256(content))


def refused(error: type[CallError], act, *arguments, **options) -> str:
    with pytest.raises(error) as caught:
        act(*arguments, **options)
    return caught.value.reason


def test_parts_come_in_any_order_and_again(platform: Platform) -> None:
    ana, upload = platform.by("ana"), opened(platform)
    assert upload.part_size_bytes == PART_BYTES
    for part in (2, 0, 2, 1, 0):
        upload = ana.upload_part(upload.name, part=part, content=PARTS[part])
    assert upload.parts == (0, 1, 2)
    assert not upload.complete
    assert ana.complete_upload(upload.name).complete
    assert ana.complete_upload(upload.name).complete
    assert platform.store.read_bytes(sha256(CONTENT)) == CONTENT


def test_an_interrupted_upload_is_resumed(platform: Platform) -> None:
    ana, upload = platform.by("ana"), opened(platform)
    ana.upload_part(upload.name, part=1, content=PARTS[1])
    assert refused(FailedPreconditionError, ana.complete_upload, upload.name) == "PARTS_MISSING"
    missing = set(range(len(PARTS))) - set(ana.get_upload(upload.name).parts)
    for part in missing:
        ana.upload_part(upload.name, part=part, content=PARTS[part])
    assert missing == {0, 2}
    assert ana.complete_upload(upload.name).complete


def test_known_bytes_need_not_be_sent(platform: Platform, tmp_path: Path) -> None:
    platform.store.put_bytes(b"known")
    assert opened(platform, b"known").complete
    (tmp_path / "empty.json").write_bytes(b"")
    assert platform.by("ana").upload(tmp_path / "empty.json") == sha256(b"")


@pytest.mark.parametrize(
    ("part", "content", "sent", "reason"),
    [
        (3, PARTS[0], PARTS[0], "PART_RANGE"),
        (-1, PARTS[0], PARTS[0], "PART_RANGE"),
        (0, PARTS[0][:-1], PARTS[0][:-1], "PART_SIZE"),
        (2, PARTS[0], PARTS[0], "PART_SIZE"),
        (0, PARTS[0], PARTS[1], "PART_DIGEST"),
    ],
)
def test_a_part_that_does_not_fit_is_refused(
    platform: Platform, part: int, content: bytes, sent: bytes, reason: str
) -> None:
    connection = platform.connection("ana")
    request = pb.UploadPartRequest(name=opened(platform).name, part=part, content=content, sha256=sha256(sent))
    act = RegistryServiceStub(connection.channel).UploadPart
    assert refused(InvalidArgumentError, connection.unary, act, request) == reason


def test_a_whole_that_is_not_what_was_announced_is_refused_and_can_be_mended(platform: Platform) -> None:
    ana, upload = platform.by("ana"), opened(platform)
    for part, content in enumerate([PARTS[0], PARTS[0], PARTS[2]]):
        ana.upload_part(upload.name, part=part, content=content)
    assert refused(FailedPreconditionError, ana.complete_upload, upload.name) == "DIGEST_MISMATCH"
    assert not platform.store.exists(sha256(CONTENT))
    ana.upload_part(upload.name, part=1, content=PARTS[1])
    assert ana.complete_upload(upload.name).complete


@pytest.mark.parametrize(
    ("size_bytes", "digest", "field"),
    [(-1, sha256(b"x"), "size_bytes"), (2**60, sha256(b"x"), "size_bytes"), (1, "../../etc/passwd", "sha256")],
)
def test_an_upload_that_cannot_be_is_refused(platform: Platform, size_bytes: int, digest: str, field: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        platform.by("ana").create_upload(size_bytes=size_bytes, sha256=digest)
    assert caught.value.field == field


def test_an_upload_is_its_creator_s(platform: Platform) -> None:
    upload = opened(platform)
    act = platform.by("trainer").upload_part
    refused(NotFoundError, act, upload.name, part=0, content=PARTS[0])


def test_an_expired_upload_is_gone(tmp_path: Path) -> None:
    with running(tmp_path, registry_upload_expiry_s=0.0) as platform:
        refused(NotFoundError, platform.by("ana").get_upload, opened(platform).name)


# The collector


def aged(platform: Platform, content: bytes, *, days: float = 30) -> str:
    """An artifact that was put some time ago."""
    digest = platform.store.put_bytes(content)
    when = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for path in platform.folder.glob(f"store/*/{digest}"):
        os.utime(path, (when, when))
    return digest


def age_everything(platform: Platform) -> None:
    for path in platform.folder.glob("store/??/*"):
        os.utime(path, (0, 0))


def test_only_what_nothing_refers_to_and_is_old_goes(platform: Platform) -> None:
    kept = platform.version(1)
    age_everything(platform)
    old, young = aged(platform, b"old"), platform.store.put_bytes(b"young")
    olga = platform.by("olga")
    assert olga.collect_garbage(validate_only=True).sha256 == (old,)
    assert platform.store.exists(old)
    went = olga.collect_garbage()
    assert (went.sha256, went.freed_bytes) == ((old,), 3)
    assert not platform.store.exists(old)
    assert platform.store.exists(young)
    assert all(platform.store.exists(file.sha256) for file in kept.manifest.files)
    assert olga.collect_garbage().sha256 == ()


def test_a_deleted_version_gives_up_what_no_other_needs(platform: Platform) -> None:
    ana, first = platform.by("ana"), platform.version(1)
    second = platform.version(2)
    ana.archive_version(first.name)
    age_everything(platform)
    assert platform.by("olga").collect_garbage().sha256 == ()
    ana.delete_version(first.name)
    only_first = {file.sha256 for file in first.manifest.files} - {file.sha256 for file in second.manifest.files}
    assert set(platform.by("olga").collect_garbage().sha256) == only_first
    assert ana.get_version(first.name).digest == first.digest


def test_the_parts_of_a_live_upload_stay(platform: Platform) -> None:
    ana, upload = platform.by("ana"), opened(platform)
    for part, content in enumerate(PARTS):
        ana.upload_part(upload.name, part=part, content=content)
    age_everything(platform)
    assert platform.by("olga").collect_garbage().sha256 == ()
    assert ana.complete_upload(upload.name).complete
    age_everything(platform)
    assert set(platform.by("olga").collect_garbage().sha256) == {sha256(part) for part in PARTS}


def test_what_was_marked_before_a_crash_can_still_be_registered(platform: Platform) -> None:
    manifest = platform.manifest(5)
    age_everything(platform)
    collector = Collector(platform.database, platform.store, platform.settings)
    marked = collector._transactions.write(lambda ctx: garbage.mark(ctx, grace=platform.settings.garbage_grace))
    assert {blob.sha256 for blob in marked} == {file.sha256 for file in manifest.files}
    version = platform.by("trainer").create_version(MODEL, manifest=manifest)
    collector.collect()
    assert all(platform.store.exists(file.sha256) for file in version.manifest.files)


def test_what_was_put_again_after_a_crash_stays(platform: Platform) -> None:
    digest = aged(platform, b"checkpoint")
    collector = Collector(platform.database, platform.store, platform.settings)
    collector._transactions.write(lambda ctx: garbage.mark(ctx, grace=platform.settings.garbage_grace))
    platform.store.put_bytes(b"checkpoint")
    collector.collect()
    assert platform.store.exists(digest)


def test_a_sweep_that_was_cut_off_is_finished_and_missing_bytes_are_no_error(platform: Platform) -> None:
    gone, left = aged(platform, b"gone"), aged(platform, b"left")
    collector = Collector(platform.database, platform.store, platform.settings)
    collector._transactions.write(lambda ctx: garbage.mark(ctx, grace=platform.settings.garbage_grace))
    platform.store.delete(gone)
    assert platform.by("olga").collect_garbage().sha256 == (left,)
    assert not platform.store.exists(left)

    def marked(ctx: Context) -> set[str]:
        return ctx.garbage.marked()

    assert collector._transactions.read(marked) == set()


def test_a_repeated_collection_answers_the_same(platform: Platform) -> None:
    old, request_id = aged(platform, b"old"), str(uuid.uuid4())
    olga = platform.by("olga")
    first = olga.collect_garbage(request_id=request_id)
    assert first.sha256 == (old,)
    assert olga.collect_garbage(request_id=request_id) == first


def test_what_production_serves_is_never_collected(platform: Platform) -> None:
    version = platform.version(3)
    platform.by("ana").promote(CANDIDATE, version=version.name)
    age_everything(platform)
    assert platform.by("olga").collect_garbage().sha256 == ()
