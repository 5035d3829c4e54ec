"""The shipped base belongs to the world, network and settings of this tree."""

import json
from pathlib import Path

import pytest

from model.acoustics.frontend import FRONT_END_VERSION
from model.base.__main__ import claim_folder
from model.base.inputs import inputs_digest
from model.base.train import BaseConfig, nano_tokenizer
from model.network.checkpoint import load_checkpoint

BASE = Path(__file__).parents[3] / "assets" / "base"


def test_the_base_was_trained_from_what_is_here() -> None:
    card = json.loads((BASE / "card.json").read_text())
    assert card["inputs"] == inputs_digest(BaseConfig()), (
        "world, front end, network or training settings changed: run `make base` and commit what it writes"
    )


def test_the_base_loads_and_fits_this_code() -> None:
    loaded = load_checkpoint(BASE / "nano")
    assert loaded.front_end_version == FRONT_END_VERSION
    assert loaded.tokenizer.get_vocab() == nano_tokenizer().get_vocab()
    size = sum(path.stat().st_size for path in (BASE / "nano").iterdir())
    assert size <= 20_000_000


def test_other_inputs_change_the_digest() -> None:
    assert inputs_digest(BaseConfig()) != inputs_digest(BaseConfig(seed=1))


def test_a_folder_begun_from_other_inputs_is_refused(tmp_path: Path) -> None:
    claim_folder(tmp_path, "sha256:one")
    claim_folder(tmp_path, "sha256:one")
    with pytest.raises(SystemExit, match="other inputs"):
        claim_folder(tmp_path, "sha256:two")
