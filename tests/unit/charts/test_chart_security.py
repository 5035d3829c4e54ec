"""Certificates and names: who is given which, how kubelets ask nonetheless, what is refused as half of it."""

from typing import Any

import pytest

from pipelines.parts import ADDRESSES, KEYS_FOLDER
from services.kit.settings import ServiceSettings
from tests.support.charts import (
    AT_SCALE,
    SECURED,
    TRYING_OUT,
    Object,
    component,
    containers,
    environment,
    named,
    of_kind,
    pods,
    render,
    rendered,
)

SERVERS = {"features/features", "orchestrator/orchestrator", "registry/registry", "inference/inference", "triton/agent"}
USERS_OF_KAFKA = SERVERS - {"features/features"}


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return rendered(SECURED)


def with_variable(objects: list[Object], name: str) -> dict[str, tuple[Object, Object]]:
    """Containers that are told the variable, by part and name, with their pods."""
    return {
        f"{component(pod)}/{one['name']}": (one, pod)
        for _, pod in pods(objects)
        for one in containers(pod)
        if name in environment(one)
    }


def secret_below(folder: str, container: Object, pod: Object) -> str:
    """The Secret whose files lie there."""
    mount = next(one for one in container["volumeMounts"] if one["mountPath"] == folder)
    assert mount["readOnly"]
    volume = next(one for one in pod["spec"]["volumes"] if one["name"] == mount["name"])
    return str(volume["secret"]["secretName"])


def test_every_server_and_the_test_show_the_certificate(objects: list[Object]) -> None:
    told = with_variable(objects, "MGRD_TLS_CA")
    assert told.keys() == SERVERS | {"test/ask"}
    for container, pod in told.values():
        found = environment(container)
        paths = [found[f"MGRD_TLS_{name}"] for name in ("CA", "CERT", "KEY")]
        assert paths == [f"/etc/mgrd/tls/{name}" for name in ("ca.crt", "tls.crt", "tls.key")]
        assert found["MGRD_TLS_MUTUAL"] == "true"
        assert secret_below("/etc/mgrd/tls", container, pod) == "our-certificates"


def test_kubelets_ask_a_port_that_speaks_plain_text_of_health_alone(objects: list[Object]) -> None:
    for container, _ in with_variable(objects, "MGRD_LISTEN").values():
        assert environment(container)["MGRD_HEALTH_LISTEN"] == "0.0.0.0:50052"
        assert {container[f"{kind}Probe"]["grpc"]["port"] for kind in ("startup", "readiness")} == {50052}
        assert container["livenessProbe"]["tcpSocket"]["port"] == 50051
        assert {"name": "health", "containerPort": 50052} in container["ports"]


def test_no_policy_and_no_service_leads_to_the_port_of_health(objects: list[Object]) -> None:
    assert "50052" not in str(of_kind(objects, "NetworkPolicy", "Service"))


def test_those_who_speak_to_kafka_know_how_and_nobody_else(objects: list[Object]) -> None:
    told = with_variable(objects, "MGRD_EVENTS_SASL")
    assert told.keys() == USERS_OF_KAFKA == with_variable(objects, "MGRD_EVENTS_URL").keys()
    for container, pod in told.values():
        found = environment(container)
        assert found["MGRD_EVENTS_PASSWORD"]["secretKeyRef"] == {"name": "our-kafka-user", "key": "password"}
        assert found["MGRD_EVENTS_CERT"] == "/etc/mgrd/kafka/tls.crt"
        assert secret_below("/etc/mgrd/kafka", container, pod) == "our-kafka"


def test_what_a_service_is_told_is_whole(objects: list[Object]) -> None:
    registry = with_variable(objects, "MGRD_EVENTS_SASL")["registry/registry"][0]
    told = {name: value if isinstance(value, str) else "secret" for name, value in environment(registry).items()}
    fields = {name.removeprefix("MGRD_").lower(): value for name, value in told.items() if "_EVENTS_" in name}
    ServiceSettings(**fields).open_bus().close()


def test_brokers_of_a_known_authority_need_no_secret() -> None:
    plain = rendered({**AT_SCALE, "kafka": {"bootstrap": "k:9093", "tls": {"enabled": True}}})
    assert {environment(one)["MGRD_EVENTS_TLS"] for one, _ in with_variable(plain, "MGRD_EVENTS_TLS").values()} == {
        "true"
    }
    assert with_variable(plain, "MGRD_EVENTS_CA") == {}


def test_steps_find_the_authority_where_their_secret_is_mounted(objects: list[Object]) -> None:
    data = next(one for one in of_kind(objects, "ConfigMap") if one["metadata"].get("namespace") == "team-a")["data"]
    files = {name: path for name, path in data.items() if name.startswith("MGRD_TLS_")}
    assert files == {
        f"MGRD_TLS_{k}": f"{KEYS_FOLDER}/{f}" for k, f in (("CA", "ca.crt"), ("CERT", "tls.crt"), ("KEY", "tls.key"))
    }
    assert files.keys() <= set(ADDRESSES)
    one_sided = rendered({**SECURED, "tls": {"existingSecret": "x"}})
    told = next(one for one in of_kind(one_sided, "ConfigMap") if one["metadata"].get("namespace") == "team-a")["data"]
    assert {name for name in told if name.startswith("MGRD_TLS_")} == {"MGRD_TLS_CA"}


def test_without_it_there_is_no_trace_of_it() -> None:
    for values in (TRYING_OUT, AT_SCALE):
        text = render(values).stdout
        assert not [
            word for word in ("MGRD_TLS", "HEALTH_LISTEN", "EVENTS_TLS", "EVENTS_SASL", "50052") if word in text
        ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {**AT_SCALE, "kafka": {"bootstrap": "k:1", "sasl": {"mechanism": "PLAIN"}}},
            "kafka.sasl.existingSecret is empty",
        ),
        ({**TRYING_OUT, "kafka": {"tls": {"enabled": True}}}, "the bundled one speaks plain text"),
        (
            {**TRYING_OUT, "tls": {"existingSecret": "x"}, "pipelines": {"namespaces": ["a"]}},
            "pipelines.existingSecret is empty while services speak TLS",
        ),
    ],
)
def test_half_a_configuration_is_refused_with_the_remedy(values: dict[str, Any], words: str) -> None:
    assert words in render(values).stderr


def test_a_volume_for_resume_points_is_made_in_each_namespace_where_it_is_wanted() -> None:
    scratch = {"enabled": True, "accessMode": "ReadWriteOnce", "size": "7Gi", "storageClass": "fast"}
    found = rendered({**AT_SCALE, "pipelines": {**AT_SCALE["pipelines"], "scratch": scratch}})
    claims = [one for one in of_kind(found, "PersistentVolumeClaim") if one["metadata"]["name"] == "mgrd-scratch"]
    assert [one["metadata"]["namespace"] for one in claims] == ["team-a", "team-b"]
    assert claims[0]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "7Gi"}},
    }
    assert of_kind(rendered(AT_SCALE), "PersistentVolumeClaim") == []


@pytest.mark.parametrize("executor", ["kubeflow", "local"])
def test_runs_follow_the_template_that_is_named(executor: str) -> None:
    named_one = {"executor": executor, "template": {"existingConfigMap": "our-pipeline"}}
    pod = named(rendered({**TRYING_OUT, "orchestrator": named_one}), "Deployment", "mgrd-orchestrator")["spec"][
        "template"
    ]
    (container,) = pod["spec"]["containers"]
    assert environment(container)["MGRD_ORCHESTRATOR_TEMPLATE"] == "/etc/mgrd/template/pipeline.yaml"
    assert {"name": "template", "mountPath": "/etc/mgrd/template", "readOnly": True} in container["volumeMounts"]
    assert {"name": "template", "configMap": {"name": "our-pipeline"}} in pod["spec"]["volumes"]
