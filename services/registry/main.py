"""The registry's process: `python -m services.registry.main`. The one place where its parts are put together."""

from collections.abc import Callable
from pathlib import Path

import grpc

from mgrd.clients.connection import Connection
from mgrd.registry.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server
from mgrd.store import open_store
from services.kit.database import Database
from services.kit.events.relay import Relay
from services.kit.migrations import migrate, schema_check
from services.kit.server import serve
from services.kit.telemetry import traceparent
from services.registry.adapters.runs import OrchestratorRuns
from services.registry.collector import Collector
from services.registry.policy import POLICY
from services.registry.servicer import RegistryServicer
from services.registry.settings import RegistrySettings
from services.registry.transactions import Transactions

TOPIC = "mgrd.registry"


def main() -> None:
    """Serves until told to stop."""
    settings = RegistrySettings.from_environment()
    settings.require("database_url", "events_url", "store_url")
    if settings.migrate:
        migrate(settings.database_url, package="services.registry")
    database, store = Database(settings.database_url), open_store(settings.store_url)
    serve(
        name="registry",
        settings=settings,
        register=registered(Transactions(database, store), settings, run_starter=run_starter_of(settings)),
        policy=POLICY,
        background=[
            Relay(database, settings.open_bus(), source="registry", topic=TOPIC),
            Collector(database, store, settings),
        ],
        checks={"database": database.check, "schema": schema_check(database.engine, package="services.registry")},
    )


def registered(
    transactions: Transactions, settings: RegistrySettings, *, run_starter: Callable[[str], str] | None = None
) -> Callable[[grpc.Server], None]:
    """Adds the servicer to a server. `run_starter` tells who started a run; where it is left out nobody is asked."""
    servicer = RegistryServicer(transactions, settings, run_starter=run_starter or (lambda _run: ""))
    return lambda server: add_RegistryServiceServicer_to_server(servicer, server)


def run_starter_of(settings: RegistrySettings) -> Callable[[str], str] | None:
    """Asks the orchestrator, where this installation has one."""
    if not settings.orchestrator_addr:
        return None
    settings.require("token_file")
    connection = Connection(
        settings.orchestrator_addr,
        token_file=Path(settings.token_file),
        timeout_s=5.0,
        traceparent=traceparent,
        tls=settings.client_tls(),
    )
    return OrchestratorRuns(connection).starter


if __name__ == "__main__":
    main()
