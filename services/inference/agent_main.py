"""The agent process beside a Triton, wired: `python -m services.inference.agent_main`."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import grpc
from google.protobuf.message import Message

from mgrd.clients.connection import Connection
from mgrd.store import open_store
from services.inference.adapters.artifacts import StoredArtifacts
from services.inference.adapters.deployments import DatabaseReporter
from services.inference.adapters.registry import RegistryReader
from services.inference.agent.agent import Agent, AgentOptions
from services.inference.agent.prober import ClipProver
from services.inference.triton import errors
from services.inference.triton.client import TritonClient
from services.inference.triton.errors import TritonError
from services.inference.triton.repository import ModelRepository
from services.kit.database import Database, UnitOfWork
from services.kit.events.relay import Relay
from services.kit.events.subscription import Subscription
from services.kit.migrations import migrate, schema_check
from services.kit.server import serve
from services.kit.settings import ServiceSettings
from services.kit.telemetry import span, traceparent

log = logging.getLogger(__name__)

PACKAGE = "services.inference"


class AgentSettings(ServiceSettings):
    """Settings of the agent, MGRD_AGENT_... beside the common ones."""

    own_prefix: ClassVar[str] = "agent"

    agent_triton_addr: str = ""
    """host:port of Triton's gRPC as the agent reaches it."""
    agent_triton_advertise: str = ""
    """host:port as gateways reach it; default: the same. It is the replica's name."""
    agent_admin_key_file: str = ""
    agent_repository: str = ""
    """The model repository folder, shared with Triton."""
    agent_gpu: bool = False
    agent_engine: str = "torch"
    agent_poll_s: float = 5.0
    agent_probe_every_s: float = 2.0
    agent_load_timeout_s: float = 120.0
    agent_drain_s: float = 30.0


class Repeating:
    """Background worker that calls something again and again, sooner when woken."""

    def __init__(self, name: str, work: Callable[[], None], *, every_s: float) -> None:
        self.name, self._work, self._every_s = name, work, every_s
        self.woken = threading.Event()

    def run(self, stopping: threading.Event) -> None:
        """Calls until told to stop; a Triton that is away is waited for."""
        while not stopping.is_set():
            self.woken.clear()
            try:
                with span(self.name):
                    self._work()
            except TritonError as error:
                if error.reason not in (errors.UNAVAILABLE, errors.TIMEOUT):
                    raise
                log.info("waiting for Triton: %s", error)
                stopping.wait(0.2)
                continue
            self._pause(stopping)

    def _pause(self, stopping: threading.Event) -> None:
        end_s = time.monotonic() + self._every_s
        while time.monotonic() < end_s and not stopping.is_set() and not self.woken.wait(0.2):
            pass


def main() -> None:
    """Runs the agent until it is told to stop."""
    settings = AgentSettings.from_environment()
    settings.require(
        "database_url",
        "events_url",
        "registry_addr",
        "store_url",
        "token_file",
        "agent_triton_addr",
        "agent_admin_key_file",
        "agent_repository",
    )
    if settings.migrate:
        migrate(settings.database_url, package=PACKAGE)
    database, bus = Database(settings.database_url), settings.open_bus()
    replica = settings.agent_triton_advertise or settings.agent_triton_addr
    agent = make_agent(settings, database, replica=replica)
    reconciling = Repeating("reconcile", agent.reconcile, every_s=settings.agent_poll_s)

    def probe() -> None:
        if not agent.probe():
            reconciling.woken.set()

    def wake(_work: UnitOfWork, _event: Message) -> None:
        reconciling.woken.set()

    serve(
        name="inference-agent",
        settings=settings,
        register=_nothing,
        policy={},
        background=[
            reconciling,
            Repeating("probe", probe, every_s=settings.agent_probe_every_s),
            Relay(database, bus, source="inference-agent", topic="mgrd.inference"),
            Subscription(
                database,
                bus,
                group=f"inference-agent-{replica}",
                topics=["mgrd.registry"],
                handlers={"mgrd.alias.moved.v1": wake},
            ),
        ],
        checks={"database": database.check, "schema": schema_check(database.engine, package=PACKAGE)},
    )
    bus.close()


def make_agent(settings: AgentSettings, database: Database, *, replica: str) -> Agent:
    """The agent with its adapters."""
    triton = TritonClient(settings.agent_triton_addr, admin_key=Path(settings.agent_admin_key_file).read_text().strip())
    registry = Connection(
        settings.registry_addr,
        token_file=Path(settings.token_file),
        timeout_s=10.0,
        retry_for_s=0.0,
        traceparent=traceparent,
        tls=settings.client_tls(),
    )
    reporter = DatabaseReporter(database, replica=replica)
    reporter.forget_all()
    return Agent(
        registry=RegistryReader(registry),
        artifacts=StoredArtifacts(open_store(settings.store_url)),
        triton=triton,
        prover=ClipProver(triton),
        reporter=reporter,
        repository=ModelRepository(
            Path(settings.agent_repository), engine=settings.agent_engine, gpu=settings.agent_gpu
        ),
        options=AgentOptions(
            replica=replica, load_timeout_s=settings.agent_load_timeout_s, drain_s=settings.agent_drain_s
        ),
    )


def _nothing(_server: grpc.Server) -> None:
    """The agent offers health alone."""


if __name__ == "__main__":
    main()
