"""The registry's settings: default gates from a file, and a file that is wrong is named."""

import json
from pathlib import Path

import pytest

from services.kit.settings import SettingsError
from services.registry.domain.gates import Comparison, Gate, Requirement
from services.registry.settings import RegistrySettings, read_gates


def test_the_gates_every_model_starts_with() -> None:
    assert RegistrySettings().default_gates() == {
        "candidate": Gate(),
        "production": Gate(
            requirements=(
                Requirement("heldout", "accuracy", Comparison.AT_LEAST_CURRENT_PLUS, -0.02),
                Requirement("heldout", "claims_supported", Comparison.AT_LEAST, 0.7),
            ),
            approvals=1,
            smoke_required=True,
        ),
    }


def test_other_gates_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "gates.json"
    path.write_text(json.dumps({"live": {"approvals": 2}}))
    settings = RegistrySettings(registry_default_gates_file=str(path))
    assert settings.default_gates() == {"live": Gate(approvals=2)}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        '{"Live": {}}',
        '{"live": {"canary": 1}}',
        '{"live": {"approvals": -1}}',
        '{"live": {"requirements": [{"suite": "s", "metric": "m", "threshold": 1}]}}',
        '{"live": {"requirements": [{"suite": "s", "metric": "m", "comparison": "MORE", "threshold": 1}]}}',
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "gates.json"
    path.write_text(wrong)
    with pytest.raises(SettingsError, match=r"MGRD_REGISTRY_DEFAULT_GATES_FILE .*gates\.json"):
        read_gates(path)
