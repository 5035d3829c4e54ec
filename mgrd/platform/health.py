"""Whether a process of the platform answers, asked the way its own readers ask."""

import urllib.error
import urllib.request

import grpc

from mgrd.platform.plans import ProcessPlan

_SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}; saves every user of the command the health stubs
_METHOD = "/grpc.health.v1.Health/Check"


def is_healthy(plan: ProcessPlan, *, timeout_s: float = 1.0) -> bool:
    """True when the process says, within the time, that it serves."""
    if plan.protocol == "http":
        return _answers_http(f"http://{plan.address}/v2/health/live", timeout_s=timeout_s)
    return _serves_grpc(plan.address, timeout_s=timeout_s)


def _serves_grpc(address: str, *, timeout_s: float) -> bool:
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(_METHOD, request_serializer=bytes, response_deserializer=bytes)
        try:
            return bool(check(b"", timeout=timeout_s) == _SERVING)
        except grpc.RpcError:
            return False


def _answers_http(url: str, *, timeout_s: float) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310  always our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
