"""The manifest's digest is an identity: golden, independent of order, and refuses what could leave the folder."""

from pathlib import Path

import pytest

from mgrd.manifest import Manifest, ManifestError, ManifestFile, manifest_from_json, manifest_of

GOLDEN_DIGEST = "sha256:28d28c35dc21bf7e8cf570e185a3a585f0906e9d17df147ae396bebd600ef7c1"


def golden(*, reverse: bool = False) -> Manifest:
    files = (ManifestFile("model.safetensors", 3, "a" * 64), ManifestFile("config.json", 2, "b" * 64))
    return Manifest(files[::-1] if reverse else files, "logmel-16k-400-160-128-c25/1", "mgrd_audio_lm")


def test_digest_is_the_released_one() -> None:
    assert golden().digest == GOLDEN_DIGEST


def test_digest_does_not_depend_on_the_order_of_files() -> None:
    assert golden(reverse=True) == golden()
    assert golden(reverse=True).digest == GOLDEN_DIGEST


def test_json_reads_back() -> None:
    assert manifest_from_json(golden().to_json()) == golden()
    assert golden().size_bytes == 5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": [{"path": "a"}]}', "[" * 100_000])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ManifestError):
        manifest_from_json(text)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../x",
        "a//b",
        "a\\..\\b",
        "%2e%2e/x",
        "a\x00b",
        "a\nb",
        ".hidden",
        "\u202etxt",
        "x" * 256,
    ],
)
def test_paths_that_leave_the_folder_or_deceive_are_refused(path: str) -> None:
    with pytest.raises(ManifestError, match="path") as caught:
        ManifestFile(path, 1, "a" * 64)
    assert caught.value.reason == "BAD_PATH"


def test_doubled_paths_empty_manifests_and_bad_digests_are_refused() -> None:
    file = ManifestFile("config.json", 2, "b" * 64)
    with pytest.raises(ManifestError, match="twice"):
        Manifest((file, file), "f", "a")
    with pytest.raises(ManifestError, match="at least one"):
        Manifest((), "f", "a")
    with pytest.raises(ManifestError, match="SHA-256"):
        ManifestFile("config.json", 2, "B" * 64)
    with pytest.raises(ManifestError, match="negative"):
        ManifestFile("config.json", -1, "b" * 64)


def test_manifest_of_a_folder_names_every_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.json").write_text("{}")
    (tmp_path / "a.json").write_text("[]")
    manifest = manifest_of(tmp_path, front_end_version="f", architecture="a")
    assert [(file.path, file.size_bytes) for file in manifest.files] == [("a.json", 2), ("sub/b.json", 2)]
    assert manifest.files[1].sha256 == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_manifest_of_refuses_links(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("/etc/hostname")
    with pytest.raises(ManifestError, match="link"):
        manifest_of(tmp_path, front_end_version="f", architecture="a")
