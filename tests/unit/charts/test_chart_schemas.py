"""What the chart renders is what API servers of several versions take, strictly; helm itself has nothing to say."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.charts import AT_SCALE, CHART, SECURED, TRYING_OUT, render, tool
from tools.kubernetes_schemas import KINDS, KUBERNETES, file_name

SCHEMAS = Path(__file__).parent / "schemas"
EVERYTHING = {"trying out": TRYING_OUT, "at scale": AT_SCALE, "secured": SECURED}
_NAME = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


def flaws(manifest: str, kubernetes: str) -> list[str]:
    """What kubeconform finds wrong with the objects."""
    locations = (SCHEMAS / kubernetes, SCHEMAS / "monitoring")
    command = [str(tool("kubeconform")), "-strict", "-output", "json"]
    command += [word for folder in locations for word in ("-schema-location", f"{folder}/{_NAME}")]
    done = subprocess.run(command, input=manifest, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["resources"]
    return [f"{one['kind']} {one['name']}: {one['msg']}" for one in found if one["status"] != "statusValid"]


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("values", EVERYTHING)
def test_every_object_is_valid_on_every_version(values: str, kubernetes: str) -> None:
    rendered = render(EVERYTHING[values], kubernetes=kubernetes)
    assert flaws(rendered.stdout, kubernetes) == []


def test_a_misspelt_field_would_be_found() -> None:
    wrong = render(TRYING_OUT).stdout.replace("readOnlyRootFilesystem", "readOnlyRoot")
    assert any("readOnlyRoot" in flaw for flaw in flaws(wrong, KUBERNETES[-1]))


def test_a_kind_without_a_schema_would_be_found() -> None:
    strange = "apiVersion: v1\nkind: Stranger\nmetadata: {name: x}\n"
    assert flaws(strange, KUBERNETES[-1]) != []


def test_every_version_has_every_kind() -> None:
    for version in KUBERNETES:
        assert {path.stem for path in (SCHEMAS / version).glob("*-v*.json")} == set(map(file_name, KINDS))


@pytest.mark.parametrize("values", EVERYTHING)
def test_helm_has_nothing_to_say(values: str, tmp_path: Path) -> None:
    (tmp_path / "values.json").write_text(json.dumps(EVERYTHING[values]))
    command = [tool("helm"), "lint", "--strict", "--quiet", "--kube-version", "1.34.0"]
    done = subprocess.run(
        [*command, CHART, "-f", tmp_path / "values.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
