"""The Helm chart as tests see it: rendered with values, as plain objects. Needs no cluster."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.requires import missing

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "mgrd"
NAMESPACE = "mgrd"
Object = dict[str, Any]

TRYING_OUT: Mapping[str, Any] = {"bundled": {"enabled": True}}
"""Everything in the release."""
AT_SCALE: Mapping[str, Any] = {
    "auth": {"existingSecret": "our-tokens"},
    "database": {"existingSecret": "our-databases"},
    "kafka": {"bootstrap": "kafka-1.example:9092,kafka-2.example:9092"},
    "store": {"url": "s3://models/mgrd", "existingSecret": "our-store"},
    "pipelines": {"namespaces": ["team-a", "team-b"], "existingSecret": "mgrd-steps"},
    "telemetry": {"endpoint": "http://collector.monitoring:4317"},
    "monitoring": {"enabled": True},
    "features": {"autoscaling": {"enabled": True}},
    "inference": {"autoscaling": {"enabled": True}},
    "triton": {"autoscaling": {"enabled": True}},
}
"""External stores, everything that can be switched on."""
SECURED: Mapping[str, Any] = {
    **AT_SCALE,
    "tls": {"existingSecret": "our-certificates", "mutual": True},
    "kafka": {
        "bootstrap": "kafka-1.example:9093",
        "tls": {"enabled": True, "existingSecret": "our-kafka", "mutual": True},
        "sasl": {"mechanism": "SCRAM-SHA-512", "existingSecret": "our-kafka-user"},
    },
}
"""TLS between the services and to Kafka, which asks for a name too."""


def tool(name: str) -> Path:
    """A tool that checks the chart; the test ends where it is missing."""
    script = ROOT / "tools" / "chart_tools.sh"
    folder = subprocess.run([script, "where"], capture_output=True, text=True, check=True).stdout.strip()
    found = Path(folder) / name
    if not found.exists():
        missing(name, "tools/chart_tools.sh fetch")
    return found


def rendered(values: Mapping[str, Any], *options: str, kubernetes: str = "1.34.0") -> list[Object]:
    """The objects of the chart with these values; AssertionError with helm's words where it refuses."""
    done = render(values, *options, kubernetes=kubernetes)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if found]


def render(values: Mapping[str, Any], *options: str, kubernetes: str = "1.34.0") -> subprocess.CompletedProcess[str]:
    """`helm template` with these values; the same call is made once."""
    return _rendered(json.dumps(values, sort_keys=True), options, kubernetes)


@cache
def _rendered(values: str, options: tuple[str, ...], kubernetes: str) -> subprocess.CompletedProcess[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(values)
        file.flush()
        command = [tool("helm"), "template", "mgrd", CHART, "-n", NAMESPACE, "-f", file.name]
        command += ["--kube-version", kubernetes, *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [one for one in objects if one["kind"] in kinds]


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one object of that kind and name."""
    found = [one for one in of_kind(objects, kind) if one["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod with its owner's kind and name."""
    for one in objects:
        if one["kind"] == "Pod":
            yield f"Pod {one['metadata']['name']}", one
        elif "template" in one.get("spec", {}):
            yield f"{one['kind']} {one['metadata']['name']}", one["spec"]["template"]


def containers(pod: Object) -> list[Object]:
    """Every container of a pod, those that run first included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def component(pod: Object) -> str:
    """Which part of the release a pod is."""
    return str(pod["metadata"]["labels"]["app.kubernetes.io/component"])


def environment(container: Object) -> dict[str, Any]:
    """Name to value, or to where the value comes from."""
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container.get("env", [])}
