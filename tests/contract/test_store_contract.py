"""What every content store promises, checked against the folder and against an S3 over the wire."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mgrd.manifest import manifest_of
from mgrd.store import ContentStore, StoreError, fetch_folder, open_store, store_folder
from mgrd.store.folder import FolderStore
from mgrd.store.s3 import S3Store
from tests.support.s3_server import FakeS3, s3_server

PART_BYTES = 5 << 20  # the smallest part S3 allows


def s3_client(url: str):
    import boto3

    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )


@pytest.fixture(scope="module")
def s3() -> Iterator[FakeS3]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ContentStore:
    if request.param == "folder":
        return open_store((tmp_path / "store").as_uri())
    server: FakeS3 = request.getfixturevalue("s3")
    server.objects.clear()
    server.calls.clear()
    return S3Store("bucket", prefix="a/b", client=s3_client(server.url), part_bytes=PART_BYTES)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_what_is_put_comes_back(store: ContentStore, tmp_path: Path) -> None:
    sha256 = store.put_file(written(tmp_path / "f", b"sound"))
    assert sha256 == hashlib.sha256(b"sound").hexdigest()
    assert store.exists(sha256)
    assert store.size_bytes(sha256) == 5
    with store.open(sha256) as stream:
        assert stream.read(2) == b"so"
        assert stream.read() == b"und"
    assert store.read_bytes(sha256) == b"sound"


def test_empty_and_large_contents(store: ContentStore, tmp_path: Path) -> None:
    large = bytes(range(256)) * (2 * PART_BYTES // 256 + 3)
    for content in (b"", large):
        sha256 = store.put_bytes(content)
        store.fetch(sha256, tmp_path / "deep" / "er" / "out")
        assert (tmp_path / "deep" / "er" / "out").read_bytes() == content


def test_equal_bytes_are_stored_once_and_their_time_renewed(store: ContentStore) -> None:
    sha256 = store.put_bytes(b"once")
    before = next(store.iterate())
    again = datetime.now(UTC)
    assert store.put_bytes(b"once") == sha256
    blobs = list(store.iterate())
    assert [(blob.sha256, blob.size_bytes) for blob in blobs] == [(sha256, 4)]
    assert blobs[0].stored_at >= max(before.stored_at, again - timedelta(seconds=1))


def test_iterate_lists_everything(store: ContentStore) -> None:
    digests = {store.put_bytes(bytes([n])) for n in range(20)}
    assert {blob.sha256 for blob in store.iterate()} == digests


def test_delete(store: ContentStore) -> None:
    sha256 = store.put_bytes(b"gone")
    assert store.delete(sha256)
    assert not store.exists(sha256)
    assert not store.delete(sha256)
    assert list(store.iterate()) == []


def test_absent_content_is_named(store: ContentStore, tmp_path: Path) -> None:
    absent = "0" * 64
    for call in (store.open, store.size_bytes, store.read_bytes, lambda digest: store.fetch(digest, tmp_path / "x")):
        with pytest.raises(StoreError, match=absent) as caught:
            call(absent)
        assert caught.value.reason == "BLOB_NOT_FOUND"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "sha256:" + "a" * 64, "A" * 64, "a" * 63, "a" * 63 + "\n"])
def test_what_is_no_digest_is_refused(store: ContentStore, digest: str) -> None:
    for call in (store.open, store.exists, store.delete, store.size_bytes):
        with pytest.raises(StoreError) as caught:
            call(digest)
        assert caught.value.reason == "BAD_DIGEST"


def test_many_writers_of_the_same_bytes(store: ContentStore) -> None:
    content = b"x" * 100_000
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(store.put_bytes(content))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {hashlib.sha256(content).hexdigest()}
    assert len(found) == 8
    assert store.read_bytes(found[0]) == content


def test_a_folder_makes_the_round_trip(store: ContentStore, tmp_path: Path) -> None:
    source = tmp_path / "checkpoint"
    (source / "sub").mkdir(parents=True)
    written(source / "config.json", b"{}")
    written(source / "sub" / "model.safetensors", b"weights")
    manifest = store_folder(store, source, front_end_version="f", architecture="a")
    target = fetch_folder(store, manifest, tmp_path / "out")
    assert manifest_of(target, front_end_version="f", architecture="a") == manifest
    written(target / "config.json", b"[]")
    written(target / "left.json", b"over")
    assert manifest_of(fetch_folder(store, manifest, target), front_end_version="f", architecture="a") == manifest


def test_a_folder_with_a_missing_file_leaves_nothing_behind(store: ContentStore, tmp_path: Path) -> None:
    source = tmp_path / "checkpoint"
    source.mkdir()
    written(source / "a.json", b"{}")
    written(source / "b.json", b"[]")
    manifest = store_folder(store, source, front_end_version="f", architecture="a")
    store.delete(manifest.files[1].sha256)
    with pytest.raises(StoreError, match=manifest.files[1].sha256):
        fetch_folder(store, manifest, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "store") == ["checkpoint"]


def test_corrupt_content_never_reaches_the_target(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    sha256 = store.put_bytes(b"right")
    path = tmp_path / "store" / sha256[:2] / sha256
    path.chmod(0o644)
    path.write_bytes(b"wrong")
    for call in (lambda: store.fetch(sha256, tmp_path / "x"), lambda: store.read_bytes(sha256)):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.reason == "CONTENT_MISMATCH"
    assert not (tmp_path / "x").exists()


def test_a_crashed_writer_leaves_only_a_partial_that_can_be_swept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    written(tmp_path / "store" / "partial" / "tmpabc", b"half")
    assert list(store.iterate()) == []
    assert store.sweep_partials(older_than=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert store.sweep_partials(older_than=datetime.now(UTC) + timedelta(seconds=1)) == 1


def test_large_files_go_to_s3_in_parts_and_equal_ones_only_once(s3: FakeS3) -> None:
    store = S3Store("bucket", client=s3_client(s3.url), part_bytes=PART_BYTES)
    s3.calls.clear()
    content = b"y" * (2 * PART_BYTES + 1)
    sha256 = store.put_bytes(content)
    assert s3.calls["part"] == 3
    assert s3.objects[f"{sha256[:2]}/{sha256}"][0] == content


@pytest.mark.parametrize("url", ["", "/srv", "file://host/x", "file:relative", "http://x/y", "s3://", "ftp://x"])
def test_unknown_stores_are_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(StoreError, match="file:///absolute/folder or s3://bucket/prefix") as caught:
        open_store(url)
    assert caught.value.reason == "UNKNOWN_STORE"


def test_a_path_with_spaces_opens(tmp_path: Path) -> None:
    store = open_store((tmp_path / "a folder").as_uri())
    store.put_bytes(b"x")
    assert (tmp_path / "a folder").is_dir()
