"""Every pod of the release: restricted, least of privilege, and told the truth."""

import ast
import tomllib
from collections.abc import Callable, Mapping

import pytest
import yaml

from services.features.settings import FeaturesSettings
from services.inference.agent_main import AgentSettings
from services.inference.gateway_main import GatewaySettings
from services.kit.settings import ServiceSettings
from services.orchestrator.settings import OrchestratorSettings
from services.registry.settings import RegistrySettings
from tests.support.charts import (
    AT_SCALE,
    CHART,
    ROOT,
    SECURED,
    TRYING_OUT,
    Object,
    component,
    containers,
    environment,
    named,
    pods,
    rendered,
)

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "features": FeaturesSettings,
    "registry": RegistrySettings,
    "orchestrator": OrchestratorSettings,
    "inference": GatewaySettings,
    "agent": AgentSettings,
}
LOCAL = {**TRYING_OUT, "orchestrator": {"executor": "local"}}
EVERY_WAY = {"trying out": TRYING_OUT, "at scale": AT_SCALE, "local runs": LOCAL, "secured": SECURED}
Check = Callable[[Object], None]


@pytest.fixture(scope="module", params=EVERY_WAY)
def every_pod(request: pytest.FixtureRequest) -> list[Object]:
    return [pod for _, pod in pods(rendered(EVERY_WAY[request.param]))]


def test_pods_meet_the_restricted_standard(every_pod: list[Object]) -> None:
    for pod in every_pod:
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        for volume in spec.get("volumes", []):
            assert volume.keys() - {"name"} <= {"emptyDir", "secret", "configMap", "persistentVolumeClaim"}
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert not any("hostPort" in port for port in container.get("ports", []))


def test_pods_have_accounts_of_their_own_and_no_key_to_the_cluster(every_pod: list[Object]) -> None:
    for pod in every_pod:
        assert pod["spec"]["serviceAccountName"] == f"mgrd-{component(pod)}"
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_no_pod_gets_the_variables_that_settings_refuse(every_pod: list[Object]) -> None:
    assert all(pod["spec"]["enableServiceLinks"] is False for pod in every_pod)


def test_every_container_says_what_it_needs(every_pod: list[Object]) -> None:
    for pod in every_pod:
        for container in containers(pod):
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_what_containers_run_is_in_the_repository(every_pod: list[Object]) -> None:
    ran = {arg for pod in every_pod for one in containers(pod) for arg in one.get("args", [])[:1] if "." in arg}
    assert {module for module in ran if not (ROOT / f"{module.replace('.', '/')}.py").is_file()} == set()


def test_services_are_told_what_they_know(every_pod: list[Object]) -> None:
    for container in (one for pod in every_pod for one in containers(pod)):
        if "MGRD_LISTEN" not in environment(container):
            continue
        known = {f"MGRD_{field}".upper() for field in SETTINGS[container["name"]].model_fields}
        told = {name for name in environment(container) if name.startswith("MGRD_")}
        assert told - known <= {"MGRD_INFERENCE_ADDR"}  # all are told every address; steps alone ask inference


def test_each_service_sees_its_own_token_alone() -> None:
    seen = {
        component(pod): {item["path"]: item["key"] for item in volume["secret"]["items"]}
        for _, pod in pods(rendered(AT_SCALE))
        for volume in pod["spec"]["volumes"]
        if volume["name"] == "auth"
    }
    own = {"triton": "agent", "inference": "gateway"}
    for part, items in seen.items():
        assert items == {"table.json": "table.json", "token": f"{own.get(part, part)}.token"}
    assert seen.keys() == {"features", "registry", "orchestrator", "inference", "triton", "test"}


def test_credentials_reach_those_who_need_them_and_nobody_else() -> None:
    holders: dict[str, set[str]] = {}
    for _, pod in pods(rendered(AT_SCALE)):
        for container in containers(pod):
            for source in environment(container).values():
                if isinstance(source, dict) and "secretKeyRef" in source:
                    holders.setdefault(source["secretKeyRef"]["name"], set()).add(
                        f"{component(pod)}/{container['name']}"
                    )
    databases = {f"{part}/{part}" for part in ("registry", "orchestrator", "inference")}
    migrations = {f"migrate/{part}" for part in ("registry", "orchestrator", "inference")}
    assert holders["our-databases"] == databases | migrations
    assert holders["our-store"] == {"registry/registry", "orchestrator/orchestrator", "triton/agent"}


def test_a_replicas_name_is_its_address_and_its_agent_keeps_its_own_database() -> None:
    objects = rendered(AT_SCALE)
    triton = named(objects, "StatefulSet", "mgrd-triton")
    service = named(objects, "Service", triton["spec"]["serviceName"])
    assert service["spec"]["clusterIP"] == "None"
    agent = environment(triton["spec"]["template"]["spec"]["containers"][1])
    assert agent["MGRD_AGENT_TRITON_ADVERTISE"] == "$(POD_NAME).mgrd-triton.mgrd.svc:8001"
    assert agent["MGRD_DATABASE_URL"].startswith("sqlite:////")


def test_gpu_values_change_where_triton_runs_and_what_it_may_have() -> None:
    gpu = yaml.safe_load((CHART / "values-gpu.yaml").read_text())
    assert gpu.keys() == {"triton"}
    assert gpu["triton"].keys() == {"nodeSelector", "tolerations", "runtimeClassName", "resources", "sharedMemory"}
    plain, served = (
        named(rendered(values), "StatefulSet", "mgrd-triton")["spec"]["template"]["spec"]
        for values in (TRYING_OUT, {**TRYING_OUT, **gpu})
    )
    assert served["runtimeClassName"] == "nvidia"
    assert served["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert environment(plain["containers"][1])["MGRD_AGENT_GPU"] == "false"
    assert environment(served["containers"][1])["MGRD_AGENT_GPU"] == "true"


def test_pods_drain_within_their_grace() -> None:
    for _, pod in pods(rendered(AT_SCALE)):
        for container in pod["spec"]["containers"]:
            drain_s = environment(container).get("MGRD_DRAIN_S")
            if drain_s is not None and container["name"] != "agent":
                assert "preStop" in container["lifecycle"]
                assert pod["spec"]["terminationGracePeriodSeconds"] >= float(drain_s) + 15


def test_the_question_of_helm_test_is_the_file_and_compiles() -> None:
    source = (CHART / "files" / "ask.py").read_text()
    config = named(rendered(TRYING_OUT), "ConfigMap", "mgrd-test")
    assert config["data"]["ask.py"].strip() == source.strip()
    ast.parse(source)


def test_chart_and_code_agree_on_the_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
