"""A real Kafka broker for tests, started once per test process by tools/kafka.sh."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port, wait_for_port
from tests.support.requires import missing

SCRIPT = Path(__file__).parents[2] / "tools" / "kafka.sh"


@contextmanager
def kafka_broker(folder: Path, *, settings: Path | None = None) -> Iterator[str]:
    """host:port of a broker that lives as long as the block; a file of settings goes on top of the usual ones."""
    for command, package in (("java", "openjdk-17-jre-headless"), ("mvn", "maven")):
        if shutil.which(command) is None:
            missing(command, f"apt-get install {package}")
    fetched = subprocess.run([SCRIPT, "fetch"], capture_output=True, text=True, check=False)
    if fetched.returncode != 0:
        missing("the Kafka broker", f"tools/kafka.sh fetch, which said: {fetched.stderr[-300:]}")
    port = free_port()
    subprocess.run(
        [SCRIPT, "start", folder, str(port), settings or os.devnull],
        check=True,
        stdout=subprocess.DEVNULL,
        env=_environment(),
    )
    try:
        wait_for_port(port, timeout_s=180)
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=True)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"KAFKA_OPTS", "JAVA_TOOL_OPTIONS"}}
