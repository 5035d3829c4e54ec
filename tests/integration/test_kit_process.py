"""A service process as an operator sees it: health, reflection, metrics, logs, draining."""

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1 import registry_pb2_grpc
from services.kit.probe import serves
from tests.support.certificates import issue
from tests.support.ports import free_port, wait_for_port

ROOT = Path(__file__).parents[2]
SERVICE = "mgrd.registry.v1.RegistryService"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass
class Running:
    process: subprocess.Popen
    folder: Path
    environment: dict[str, str]
    channel: grpc.Channel

    def get(self, name: str) -> str:
        stub = registry_pb2_grpc.RegistryServiceStub(self.channel)
        metadata = [("authorization", "Bearer secret-token")]
        return stub.GetModel(pb.GetModelRequest(name=name), timeout=30, metadata=metadata).model.name

    def health(self) -> int:
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        return health_pb2_grpc.HealthStub(self.channel).Check(request, timeout=10).status

    def log(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    token = {"sha256": hashlib.sha256(b"secret-token").hexdigest(), "subject": "ada", "kind": "person"}
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [{**token, "roles": ["reader"]}]}))
    port, metrics_port = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MGRD_")},
        "MGRD_LISTEN": f"127.0.0.1:{port}",
        "MGRD_METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
        "MGRD_TOKENS_FILE": str(tmp_path / "tokens.json"),
        "MGRD_REFLECTION": "true",
    }
    process = _start(tmp_path, environment)
    wait_for_port(port, timeout_s=60)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        running = Running(process, tmp_path, environment, channel)
        _until(lambda: running.health() == SERVING)
        yield running
    process.kill()
    process.wait()


def _start(folder: Path, environment: dict[str, str]) -> subprocess.Popen:
    with (folder / "log").open("ab") as log:
        command = [sys.executable, "-m", "tests.support.kit_process", str(folder)]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)


def _until(reached: Callable[[], bool], *, timeout_s: float = 30) -> None:
    ends_at = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < ends_at, "it did not happen in time"
        time.sleep(0.02)


def test_health_follows_the_checks(running: Running) -> None:
    (running.folder / "broken").touch()
    _until(lambda: running.health() == NOT_SERVING)
    (running.folder / "broken").unlink()
    _until(lambda: running.health() == SERVING)


def test_what_an_operator_looks_at(running: Running) -> None:
    assert running.get("models/m") == "models/m"
    with urllib.request.urlopen(f"http://{running.environment['MGRD_METRICS_LISTEN']}/metrics", timeout=10) as found:
        metrics = found.read().decode()
    assert f'mgrd_rpc_calls_total{{code="OK",method="/{SERVICE}/GetModel"}} 1.0' in metrics
    stub = reflection_pb2_grpc.ServerReflectionStub(running.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [reply] = stub.ServerReflectionInfo(iter([request]), timeout=10)
    assert SERVICE in {service.name for service in reply.list_services_response.service}
    [line] = [line for line in running.log() if line["message"] == "rpc"]
    assert (line["method"], line["outcome"], len(line["trace_id"])) == (f"/{SERVICE}/GetModel", "OK", 32)
    assert "secret-token" not in (running.folder / "log").read_text()


def test_a_running_call_ends_well_when_the_service_is_told_to_stop(running: Running) -> None:
    (running.folder / "wait").touch()
    with ThreadPoolExecutor(1) as callers:
        call = callers.submit(running.get, "models/m")
        _until((running.folder / "entered").exists)
        running.process.terminate()
        time.sleep(0.2)
        assert running.process.poll() is None
        (running.folder / "wait").unlink()
        assert call.result() == "models/m"
    assert running.process.wait(30) == 0


def test_a_second_process_on_the_same_port_refuses_to_start(running: Running) -> None:
    second = _start(running.folder, running.environment)
    assert second.wait(60) != 0
    assert running.get("models/m") == "models/m"


def test_a_probe_that_knows_no_certificates_asks_a_port_for_health_alone(running: Running, tmp_path: Path) -> None:
    ca = issue(tmp_path, "ca")
    server, port, health_port = issue(tmp_path, "server", by=ca), free_port(), free_port()
    secured = {
        "MGRD_LISTEN": f"127.0.0.1:{port}",
        "MGRD_METRICS_LISTEN": "",
        "MGRD_HEALTH_LISTEN": f"127.0.0.1:{health_port}",
        "MGRD_TLS_CERT": str(server.cert),
        "MGRD_TLS_KEY": str(server.key),
    }
    process = _start(tmp_path, {**running.environment, **secured})
    try:
        _until(lambda: serves(f"127.0.0.1:{health_port}"))
        assert not serves(f"127.0.0.1:{port}", timeout_s=2)
        with grpc.insecure_channel(f"127.0.0.1:{health_port}") as channel, pytest.raises(grpc.RpcError) as refused:
            Running(process, tmp_path, {}, channel).get("models/m")
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
        (tmp_path / "broken").touch()
        _until(lambda: not serves(f"127.0.0.1:{health_port}"))
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
