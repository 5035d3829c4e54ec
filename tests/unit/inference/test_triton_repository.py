"""A rendered model appears whole or not at all, under a name that is its digest."""

from pathlib import Path

import pytest

from services.inference.triton.repository import ModelRepository, triton_name

DIGEST = "sha256:" + "ab" * 32


def fetch(to: Path) -> None:
    to.mkdir()
    (to / "config.json").write_text("{}")


def test_a_rendered_model_has_configuration_shim_and_weights(tmp_path: Path) -> None:
    name = ModelRepository(tmp_path).render("nano", digest=DIGEST, fetch=fetch)
    assert name == "nano-" + "ab" * 32
    assert 'default_model_filename: "serve.py"' in (tmp_path / name / "config.pbtxt").read_text()
    assert (tmp_path / name / "1" / "serve.py").exists()
    assert (tmp_path / name / "weights" / "config.json").exists()
    assert ModelRepository(tmp_path).names() == {name}


def test_a_fetch_that_fails_leaves_nothing_to_load(tmp_path: Path) -> None:
    def broken(to: Path) -> None:
        fetch(to)
        raise OSError("the store is away")

    repository = ModelRepository(tmp_path)
    with pytest.raises(OSError, match="away"):
        repository.render("nano", digest=DIGEST, fetch=broken)
    assert repository.names() == frozenset()
    repository.render("nano", digest=DIGEST, fetch=fetch)
    assert len(repository.names()) == 1


def test_a_model_rendered_before_is_not_fetched_again(tmp_path: Path) -> None:
    repository, calls = ModelRepository(tmp_path), []
    for _ in range(2):
        repository.render("nano", digest=DIGEST, fetch=lambda to: (calls.append(to), fetch(to)))
    assert len(calls) == 1


def test_digests_made_to_begin_alike_have_names_of_their_own(tmp_path: Path) -> None:
    repository, twin = ModelRepository(tmp_path), DIGEST[:-1] + "c"
    names = {repository.render("nano", digest=digest, fetch=fetch) for digest in (DIGEST, twin)}
    assert len(names) == 2


@pytest.mark.parametrize("model", ["", "../x", "Nano", "a" * 70, "nano/", "-nano", "a\n"])
def test_a_hostile_model_id_is_refused(model: str) -> None:
    with pytest.raises(ValueError, match="DNS label"):
        triton_name(model, DIGEST)


@pytest.mark.parametrize("digest", ["", "ab" * 32, "sha256:" + "AB" * 32, "sha256:../" + "ab" * 30])
def test_a_hostile_digest_is_refused(digest: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        triton_name("nano", digest)


def test_removing_never_leaves_the_repository(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name"):
        ModelRepository(tmp_path / "models").remove("../elsewhere")
