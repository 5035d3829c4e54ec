"""Values: closed, explained, refused with a sentence where they are wrong."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.kit.auth import TokenTable
from tests.support.charts import AT_SCALE, CHART, TRYING_OUT, Object, named, of_kind, render, rendered

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
SERVICES = ("orchestrator", "registry", "inference")


def fields(schema: Object, path: str = "") -> Iterator[tuple[str, Object]]:
    """Every field of every object in the schema."""
    for name, field in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        yield f"{path}/{name}", field
        yield from fields(field, f"{path}/{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}/items")


def test_every_value_is_explained() -> None:
    assert [path for path, field in fields(SCHEMA) if "description" not in field and "$ref" not in field] == []


def test_objects_with_fields_are_closed() -> None:
    opened = [path for path, field in fields(SCHEMA) if "properties" in field and "additionalProperties" not in field]
    assert set(opened) <= {"/trainer"}


def test_every_default_is_in_the_schema_and_the_reverse() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert SCHEMA["properties"].keys() - {"global"} == defaults.keys()
    for name in defaults.keys() - {"trainer"}:
        assert defaults[name].keys() == SCHEMA["properties"][name]["properties"].keys(), name


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"registry": {"replica": 2}}, "'replica' not allowed"),
        ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
        ({"auth": {"people": [{"name": "ana", "roles": ["root"]}]}}, "/auth/people/0/roles/0"),
        ({"registry": {"settings": {"DEBUG": "1"}}}, "'DEBUG' not allowed"),
        ({"images": {"control": {"repository": "x", "digest": "sha256:12"}}}, "/images/control/digest"),
        ({"tls": {"secret": "x"}}, "'secret' not allowed"),
        ({"tls": {"mutual": "yes"}}, "/tls/mutual"),
        ({"kafka": {"sasl": {"mechanism": "MAGIC"}}}, "/kafka/sasl/mechanism"),
        ({"pipelines": {"scratch": {"accessMode": "x"}}}, "/pipelines/scratch/accessMode"),
        ({"orchestrator": {"replicas": 2}}, "'replicas' not allowed"),
        ({"orchestrator": {"kubeflow": {"addr": "http://ml-pipeline"}}}, "/orchestrator/kubeflow/addr"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_by_its_name(values: Mapping[str, Any], words: str) -> None:
    done = render({**TRYING_OUT, **values})
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("kafka", "kafka.bootstrap is empty: name your brokers"),
        ("database", "database.existingSecret is empty: name the Secret"),
        ("store", "store.existingSecret is empty: name the Secret"),
        ("pipelines", "pipelines.existingSecret is empty: name the Secret"),
    ],
)
def test_what_is_missing_is_said_with_the_remedy(left_out: str, words: str) -> None:
    rest = {"pipelines": {"namespaces": ["team-a"]}, "store": {"url": "s3://models"}}
    assert words in render({**AT_SCALE, left_out: rest.get(left_out, {})}).stderr


def test_made_secrets_hold_a_table_that_the_services_can_read(tmp_path: Path) -> None:
    objects = rendered(TRYING_OUT)
    tokens, people = (named(objects, "Secret", f"mgrd-{name}")["stringData"] for name in ("tokens", "people"))
    (tmp_path / "table.json").write_text(tokens["table.json"])
    table = TokenTable.load(tmp_path / "table.json")
    assert table.caller(f"Bearer {tokens['steps.token']}").roles == {"reader", "step"}
    assert table.caller(f"Bearer {people['ben.token']}").is_person
    assert tokens["steps.token"] not in tokens["table.json"]


def test_named_secrets_are_used_and_none_is_made() -> None:
    assert of_kind(rendered(AT_SCALE), "Secret") == []


def test_each_service_has_a_database_and_a_password_of_its_own() -> None:
    made = named(rendered(TRYING_OUT), "Secret", "mgrd-database")["stringData"]
    assert len({made[f"{name}-password"] for name in SERVICES}) == len(SERVICES)
    assert all(f"OWNER {name};" in made["roles.sql"] for name in SERVICES)
    assert all(made[name].startswith(f"postgresql+psycopg://{name}:") for name in SERVICES)


def test_migrations_come_before_the_upgrade_and_beside_a_bundled_database() -> None:
    def annotations(values: Mapping[str, Any], *options: str) -> dict[str, str]:
        jobs = of_kind(rendered(values, *options), "Job")
        job = next(one for one in jobs if "migrate" in one["metadata"]["name"])
        return dict(job["metadata"].get("annotations", {}))

    assert annotations(AT_SCALE)["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert annotations(TRYING_OUT) == {}
    assert annotations(TRYING_OUT, "--is-upgrade")["helm.sh/hook"] == "pre-upgrade"
