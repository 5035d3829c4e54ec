"""The gRPC server all services share: layers, health, reflection, metrics, background workers, draining.

`serve` blocks until SIGTERM or SIGINT: health turns NOT_SERVING first, running calls get `drain_s` to end, the
workers stop last. `in_process` starts the same server inside a test.
"""

import logging
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.kit import layers, metrics, telemetry
from services.kit.auth import Policy, TokenTable
from services.kit.background import Background, BackgroundThreads
from services.kit.settings import ServiceSettings
from services.kit.tls import server_credentials
from services.kit.validation import validate

Check = Callable[[], None]
_SPARE_THREADS = 8  # health probes and refusals must get through when every slot is taken
_CHECK_EVERY_S = 2.0
_CHECK_AGAIN_S = 0.2
_log = logging.getLogger(__name__)


def serve(
    *,
    name: str,
    settings: ServiceSettings,
    register: Callable[[grpc.Server], None],
    policy: Policy,
    background: Sequence[Background] = (),
    checks: Mapping[str, Check] | None = None,
) -> None:
    """Runs a service until it is told to stop. `checks` raise while the service cannot serve."""
    telemetry.configure(name, log_level=settings.log_level)
    settings.require("tokens_file")
    tokens = TokenTable.load(settings.tokens_file)
    server, port, status = _started(register, policy, settings, tokens)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    exporter = metrics.expose(settings.metrics_listen) if settings.metrics_listen else None
    workers = BackgroundThreads([*background, _Readiness(status, policy, checks or {})])
    workers.start()
    prober = _health_alone(settings.health_listen, status) if settings.health_listen else None
    _log.info("serving", extra={"port": port})
    stopping.wait()
    _drain(server, status, workers, settings.drain_s)
    if prober is not None:
        prober.stop(None).wait()
    if exporter is not None:
        exporter.shutdown()


def in_process(
    *,
    register: Callable[[grpc.Server], None],
    policy: Policy,
    tokens: TokenTable,
    settings: ServiceSettings | None = None,
) -> tuple[grpc.Server, int]:
    """A started server on a free port of 127.0.0.1, for tests; the caller stops it."""
    server, port, status = _started(register, policy, settings or ServiceSettings(), tokens)
    _Readiness(status, policy, {}).look()
    return server, port


def _started(
    register: Callable[[grpc.Server], None], policy: Policy, settings: ServiceSettings, tokens: TokenTable
) -> tuple[grpc.Server, int, health.HealthServicer]:
    server = grpc.server(
        ThreadPoolExecutor(settings.max_concurrent_rpcs + _SPARE_THREADS, thread_name_prefix="rpc"),
        interceptors=[layers.Layered(_layers(policy, settings, tokens), validator=validate)],
        options=[
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.max_send_message_length", settings.max_message_bytes),
            ("grpc.max_concurrent_streams", 4 * settings.max_concurrent_rpcs),  # per connection
            ("grpc.so_reuseport", 0),  # a second process on the same port must fail, not share
        ],
    )
    register(server)
    status = health.HealthServicer()
    _set_health(status, policy, serving=False)  # until every check has passed once
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    if settings.reflection:
        _reflect(server, policy)
    credentials = server_credentials(settings)
    port = (
        server.add_insecure_port(settings.listen)
        if credentials is None
        else server.add_secure_port(settings.listen, credentials)
    )
    server.start()
    return server, port, status


def _health_alone(address: str, status: health.HealthServicer) -> grpc.Server:
    """A server in plain text that says what the other one says of its health, and nothing else."""
    server = grpc.server(ThreadPoolExecutor(2, thread_name_prefix="health"))
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    server.add_insecure_port(address)
    server.start()
    return server


def _layers(policy: Policy, settings: ServiceSettings, tokens: TokenTable) -> list[layers.Layer]:
    return [
        layers.tracing,
        layers.error_mapping,
        layers.metering,
        layers.logging_calls,
        layers.authentication(tokens, policy),
        layers.deadline(settings.max_deadline_s),
        layers.concurrency_limit(settings.max_concurrent_rpcs),
    ]


def _reflect(server: grpc.Server, policy: Policy) -> None:
    from grpc_reflection.v1alpha import reflection

    names = [*_service_names(policy), health.SERVICE_NAME, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)


def _set_health(status: health.HealthServicer, policy: Policy, *, serving: bool) -> None:
    states = health_pb2.HealthCheckResponse
    for service in ("", *_service_names(policy)):
        status.set(service, states.SERVING if serving else states.NOT_SERVING)


def _service_names(policy: Policy) -> list[str]:
    return sorted({method.split("/")[1] for method in policy})


def _drain(server: grpc.Server, status: health.HealthServicer, workers: BackgroundThreads, drain_s: float) -> None:
    status.enter_graceful_shutdown()
    server.stop(drain_s).wait()
    workers.stop(timeout_s=drain_s)


class _Readiness:
    """Turns health to SERVING when every check passes and to NOT_SERVING when one raises."""

    name = "readiness"

    def __init__(self, status: health.HealthServicer, policy: Policy, checks: Mapping[str, Check]) -> None:
        self._status = status
        self._policy = policy
        self._checks = checks

    def run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            stopping.wait(_CHECK_EVERY_S if self.look() else _CHECK_AGAIN_S)

    def look(self) -> bool:
        passed = [self._passes(name, check) for name, check in self._checks.items()]
        serving = all(passed)
        _set_health(self._status, self._policy, serving=serving)
        return serving

    def _passes(self, name: str, check: Check) -> bool:
        try:
            check()
        except Exception:  # noqa: BLE001 - whatever a check raises, the service is not ready
            _log.warning("check %s fails", name, exc_info=True)
            return False
        return True
