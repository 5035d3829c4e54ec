"""The real S3 store of the bundled release, versitygw, on loopback over a folder."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.ports import free_port, wait_for_port
from tests.support.requires import missing

BINARY = Path(__file__).parents[2] / "dist" / "stores" / "s3" / "versitygw"


@contextmanager
def versitygw(folder: Path) -> Iterator[Any]:
    """A boto3 client of a store over `folder` that lives as long as the block."""
    import boto3

    if not BINARY.is_file():
        missing("versitygw", "tools/images/stores/fetch.sh")
    port, keys = free_port(), {"ROOT_ACCESS_KEY": "mgrd", "ROOT_SECRET_KEY": "secret"}
    command = [BINARY, "--port", f"127.0.0.1:{port}", "--health", "/health", "posix", folder]
    with (folder.parent / "versitygw.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **keys}, stdout=log, stderr=log)
    try:
        wait_for_port(port, timeout_s=60)
        yield boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="mgrd",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )
    finally:
        process.terminate()
        process.wait()
