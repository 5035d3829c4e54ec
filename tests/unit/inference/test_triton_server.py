"""Triton's command line and environment: loading is behind the key, secrets stay out, what is missing is said."""

import sys
from pathlib import Path

import pytest

from services.inference.triton import server
from services.inference.triton.errors import TritonError
from services.inference.triton.server import Installation, ServerOptions, command, environment, link_backends, main

OPTIONS = ServerOptions(
    repository=Path("/models"), state=Path("/state"), grpc_port=1, http_port=2, metrics_port=3, admin_key="K"
)
INSTALLATION = Installation(binary=Path("/opt/tritonserver"), wheel=None)


def test_what_loads_code_is_behind_the_admin_key_at_both_doors() -> None:
    line = command(INSTALLATION, OPTIONS, backends=None)
    for door in ("grpc-restricted-protocol", "http-restricted-api"):
        (option,) = [part for part in line if part.startswith(f"--{door}=")]
        protocols, _, key = option.partition("=")[2].rpartition(":")
        assert {"model-repository", "shared-memory", "logging", "trace"} <= set(protocols.split(","))
        assert key == "admin-key=K"


def test_it_listens_on_loopback_and_loads_only_what_it_is_told_to() -> None:
    line = command(INSTALLATION, OPTIONS, backends=Path("/be"))
    addresses = [part for part in line if "-address=" in part]
    assert len(addresses) == 3
    assert all(part.endswith("=127.0.0.1") for part in addresses)
    assert "--model-control-mode=explicit" in line
    assert "--backend-directory=/be" in line


def test_the_stub_inherits_our_python_and_no_secret() -> None:
    found = environment({"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "MGRD_TOKEN_FILE": "y", "OMP_NUM_THREADS": "1"})
    assert found["PATH"].startswith(str(Path(sys.executable).parent))
    assert (Path(found["PYTHONPATH"]) / "services" / "inference").is_dir()
    assert found["OMP_NUM_THREADS"] == "1"
    assert not {"AWS_SECRET_ACCESS_KEY", "MGRD_TOKEN_FILE"} & set(found)


def test_backends_are_links_into_the_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "wheel"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = wheel / "python_backend_stubs" / version / "triton_python_backend_stub"
    for path in (wheel / "backends" / "python" / "libtriton_python.so", stub):
        path.parent.mkdir(parents=True)
        path.touch()
    for _ in range(2):
        backends = link_backends(Installation(Path("t"), wheel), tmp_path / "state")
    assert backends is not None
    assert {path.name for path in (backends / "python").iterdir()} == {"libtriton_python.so", stub.name}
    assert all(path.is_symlink() for path in (backends / "python").iterdir())
    stub.unlink()
    with pytest.raises(TritonError, match="no stub for Python"):
        link_backends(Installation(Path("t"), wheel), tmp_path / "state")


def test_a_missing_libpython_is_said_before_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "python_library_folder", lambda: None)
    monkeypatch.setattr(server, "find_library", lambda _name: None)
    monkeypatch.setattr(Installation, "find", lambda: Installation(Path("t"), tmp_path))
    key = tmp_path / "key"
    key.write_text("K")
    ports = ["--grpc-port=1", "--http-port=2", "--metrics-port=3"]
    with pytest.raises(SystemExit) as stopped:
        main(["--repository", str(tmp_path / "models"), "--admin-key-file", str(key), *ports])
    assert stopped.value.code == 3
    assert "apt-get install" in capsys.readouterr().err
