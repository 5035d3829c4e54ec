"""A real Triton and tiny random checkpoints for tests; skips, or fails in CI, where the server cannot run here."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.inference.triton.client import TritonClient
from services.inference.triton.errors import TritonError
from services.inference.triton.repository import ModelRepository
from services.inference.triton.server import Installation, missing_libpython
from tests.support.ports import free_port
from tests.support.requires import missing

ADMIN_KEY = "test-admin-key"
ROOT = Path(__file__).resolve().parents[2]
WORDS = ("the", "pitch", "rises", "falls", ".", ",", "voice", "is", "high", "low", "so", "answer", "choose", ":")


def tiny_checkpoint(folder: Path, *, seed: int = 0) -> Path:
    """A checkpoint of nano's shape with random weights."""
    import torch

    from model.acoustics.frontend import FRONT_END_VERSION
    from model.network.audio_lm import AudioLanguageModel
    from model.network.checkpoint import save_checkpoint
    from model.network.config import nano
    from model.network.template import AUDIO_PATCH
    from model.network.tokenizer import build_tokenizer

    tokenizer = build_tokenizer(WORDS)
    torch.manual_seed(seed)
    config = nano(vocab_size=len(tokenizer), audio_patch_token_id=tokenizer.convert_tokens_to_ids(AUDIO_PATCH))
    return save_checkpoint(folder, AudioLanguageModel(config), tokenizer, front_end_version=FRONT_END_VERSION)


def fake_digest(name: str) -> str:
    """A digest of the right form for `name`."""
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


@dataclass
class RunningTriton:
    """A Triton of this test's own."""

    process: subprocess.Popen
    grpc_port: int
    repository: ModelRepository
    log: Path
    line: list[str]
    variables: Mapping[str, str]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def client(self, *, admin: bool = True) -> TritonClient:
        return TritonClient(self.address, admin_key=ADMIN_KEY if admin else None)

    def stubs(self) -> list[int]:
        """Pids of the python stubs of this server."""
        import psutil

        children = psutil.Process(self.process.pid).children(recursive=True)
        running = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
        return [child.pid for child in running if "triton_python_backend_stub" in " ".join(child.cmdline())]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = _started(self.line, self.log, self.variables)
        _wait_live(self)


def require_triton() -> None:
    """Skips, or fails in CI, where no Triton can run."""
    try:
        Installation.find()
    except TritonError as error:
        missing("Triton", str(error))
    if problem := missing_libpython():
        missing("Triton's libpython", problem)


@contextmanager
def running_triton(folder: Path, *, variables: Mapping[str, str] | None = None) -> Iterator[RunningTriton]:
    """A real Triton over an empty model repository below `folder`, on free ports of 127.0.0.1."""
    require_triton()
    triton = _prepared(folder, variables or {})
    _wait_live(triton)
    try:
        yield triton
    finally:
        triton.process.send_signal(signal.SIGTERM)
        try:
            triton.process.wait(15)
        except subprocess.TimeoutExpired:
            triton.kill()


def _prepared(folder: Path, variables: Mapping[str, str]) -> RunningTriton:
    key = folder / "admin-key"
    key.write_text(ADMIN_KEY)
    repository, log, port = folder / "repository", folder / "triton.log", free_port()
    line = [
        sys.executable, "-m", "services.inference.triton.server", "--repository", str(repository),
        "--grpc-port", str(port), "--http-port", str(free_port()), "--metrics-port", str(free_port()),
        "--admin-key-file", str(key),
    ]  # fmt: skip
    return RunningTriton(_started(line, log, variables), port, ModelRepository(repository), log, line, variables)


def _started(line: list[str], log: Path, variables: Mapping[str, str]) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    with log.open("ab") as output:
        return subprocess.Popen(line, cwd=ROOT, stdout=output, stderr=output, env=environment)


def _wait_live(triton: RunningTriton) -> None:
    client = triton.client()
    wait_until(
        lambda: client.live(timeout_s=1.0) or _assert_alive(triton), timeout_s=60, what=f"Triton; see {triton.log}"
    )
    client.close()


def _assert_alive(triton: RunningTriton) -> bool:
    assert triton.process.poll() is None, triton.log.read_text()[-2000:]
    return False


def wait_until(condition: Callable[[], object], *, timeout_s: float, what: str) -> None:
    """Polls until `condition` is true; AssertionError names what was waited for."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, f"{what} did not come within {timeout_s:g} s"
        time.sleep(0.02)
