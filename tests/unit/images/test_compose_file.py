"""docker-compose.yml and the secrets it is given: loopback only, nothing with a default password, everything probed."""

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mgrd.cli.main import main
from tests.support.charts import tool
from tools.compose.secrets import ADDRESSES, PASSWORDS, make_secrets

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
ONE_SHOTS = {"bucket", "migrate-registry", "migrate-orchestrator", "migrate-inference"}
LOOKED_AT_FROM_OUTSIDE = {"prometheus", "grafana"}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
    return found


def variables() -> dict[str, str]:
    """The variables the file asks for, each with what follows its name: `:-default`, `:?message` or nothing."""
    return dict(re.findall(r"\$\{(\w+)((?::[-?][^}]*)?)\}", TEXT))


def test_every_port_is_bound_to_loopback(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_ports_are_those_the_command_is_told() -> None:
    defaults = {int(port) for port in re.findall(r"_PORT:-(\d+)\}", TEXT)}
    assert set(ADDRESSES.values()) <= defaults


def test_no_secret_has_a_default_and_each_is_made(tmp_path: Path) -> None:
    make_secrets(tmp_path / "home")
    made = dict(line.split("=", 1) for line in (tmp_path / "home" / "env").read_text().splitlines())
    asked = {name for name in variables() if re.search("PASSWORD|SECRET|CLUSTER_ID", name)}
    assert asked == made.keys()
    assert not [name for name in asked if variables()[name].startswith(":-")]
    assert len({made[name] for name in PASSWORDS}) == len(PASSWORDS)


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_secrets(home)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    make_secrets(home)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for name in yaml.safe_load(TEXT)["secrets"]:
        file = yaml.safe_load(TEXT)["secrets"][name]["file"].rpartition("}/")[2]
        assert (home / file).is_file(), file


def test_what_runs_on_is_probed_and_waited_for(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name in ONE_SHOTS | LOOKED_AT_FROM_OUTSIDE:
            continue
        assert "healthcheck" in service, name
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONE_SHOTS else "service_healthy"
            assert how["condition"] == wanted, f"{name} on {needed}"


def test_our_containers_may_little(services: dict[str, dict[str, Any]]) -> None:
    ours = {name: service for name, service in services.items() if "localhost/mgrd-" in service["image"]}
    assert len(ours) == 11
    for name, service in ours.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["user"] == "10001:10001", name


def test_every_image_can_be_named_by_a_variable(services: dict[str, dict[str, Any]]) -> None:
    assert [service["image"] for service in services.values() if not service["image"].startswith("${MGRD_")] == []


def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    compose = tool("docker-compose")
    make_secrets(tmp_path / "home")
    done = subprocess.run(
        [compose, "--env-file", str(tmp_path / "home" / "env"), "--profile", "*", "config", "--format", "json"],
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "MGRD_COMPOSE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)["services"]
    assert seen.keys() == yaml.safe_load(TEXT)["services"].keys()
    published = [port for service in seen.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_compose_refuses_what_nobody_made() -> None:
    command = [tool("docker-compose"), "--env-file", "/dev/null", "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "run tools/compose/up.sh, which makes it" in done.stderr


@pytest.mark.parametrize("command", ["up", "down", "status", "logs registry"])
def test_the_command_leaves_a_platform_under_compose_to_compose(tmp_path: Path, command: str) -> None:
    home = tmp_path / "home"
    make_secrets(home)
    before = sorted(path.name for path in home.iterdir())
    found = CliRunner().invoke(main, [*command.split(), "--home", str(home)])
    assert found.exit_code == 1
    assert "Docker Compose" in found.output
    assert sorted(path.name for path in home.iterdir()) == before
