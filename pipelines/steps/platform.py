"""Calls from a step to the platform's services: with the run's token, a deadline, and patience while one restarts.

Promises that UNAVAILABLE alone is retried, with the same request, for at most `patience_s`. A restart of a service in
the middle of a stage therefore costs the stage nothing.
"""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import grpc

Request = TypeVar("Request")
Response = TypeVar("Response")

_NAMESPACE = uuid.UUID("6f1d6f0e-6a55-5d4f-9a39-6a1f6f2f4d10")
_PAUSE_S = 0.2
_PAUSE_MAX_S = 2.0


def request_id(*parts: str | int) -> str:
    """The UUID5 of what a request is about: a repeated step repeats its requests and duplicates nothing."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))


def channel(address: str) -> grpc.Channel:
    """A channel to a service of the platform."""
    return grpc.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 1000)])


def call(
    method: Callable[..., Response],
    request: object,
    *,
    token_file: str,
    timeout_s: float = 10.0,
    patience_s: float = 120.0,
) -> Response:
    """The response of a unary RPC."""
    give_up = time.monotonic() + patience_s
    pause_s = _PAUSE_S
    while True:
        try:
            return method(request, timeout=timeout_s, metadata=credentials(token_file))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() + pause_s > give_up:
                raise
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_MAX_S)


def credentials(token_file: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call; the file is read each time, since tokens are renewed."""
    return (("authorization", f"Bearer {Path(token_file).read_text().strip()}"),) if token_file else ()
