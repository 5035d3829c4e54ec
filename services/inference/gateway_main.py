"""The gateway process, wired: `python -m services.inference.gateway_main`."""

from functools import partial
from pathlib import Path
from typing import ClassVar

from mgrd.clients.connection import Connection
from services.inference.adapters.features import RemoteFeatures
from services.inference.adapters.registry import RegistryReader
from services.inference.adapters.tritons import TritonPool
from services.inference.gateway.directory import DatabaseDirectory, Refresher, handlers
from services.inference.gateway.reason import Reasoner
from services.inference.gateway.replies import ReasonerOptions
from services.inference.gateway.servicer import LIVE_IDLE_TIMEOUT_S, POLICY, InferenceServicer
from services.kit.auth import TokenTable
from services.kit.background import Background
from services.kit.database import Database
from services.kit.events.subscription import Subscription
from services.kit.migrations import migrate, schema_check
from services.kit.server import serve
from services.kit.settings import ServiceSettings
from services.kit.telemetry import traceparent

PACKAGE = "services.inference"
TOPICS = ("mgrd.registry", "mgrd.inference")


class GatewaySettings(ServiceSettings):
    """Settings of the gateway, MGRD_GATEWAY_... beside the common ones."""

    own_prefix: ClassVar[str] = "gateway"

    gateway_http_listen: str = ""
    """host:port of the OpenAI-compatible door; empty leaves it shut."""
    gateway_max_replies: int = 32
    gateway_patience_s: float = 15.0
    gateway_reply_timeout_s: float = 120.0
    gateway_live_idle_timeout_s: float = LIVE_IDLE_TIMEOUT_S
    """A live conversation in which nothing is said or answered for so long is ended."""


def main() -> None:
    """Runs the gateway until it is told to stop."""
    settings = GatewaySettings.from_environment()
    settings.require("database_url", "events_url", "features_addr", "registry_addr", "tokens_file", "token_file")
    if settings.migrate:
        migrate(settings.database_url, package=PACKAGE)
    database, bus = Database(settings.database_url), settings.open_bus()
    connected = partial(
        Connection, token_file=Path(settings.token_file), traceparent=traceparent, tls=settings.client_tls()
    )
    registry = connected(settings.registry_addr, timeout_s=5.0, retry_for_s=0.0)
    features = connected(settings.features_addr, retry_for_s=5.0)
    refresher = Refresher(database, RegistryReader(registry))
    directory, tritons = DatabaseDirectory(database, refresher), TritonPool()
    options = ReasonerOptions(
        max_replies=settings.gateway_max_replies,
        patience_s=settings.gateway_patience_s,
        reply_timeout_s=settings.gateway_reply_timeout_s,
    )
    reasoner = Reasoner(directory=directory, features=RemoteFeatures(features), tritons=tritons, options=options)
    workers: list[Background] = [
        refresher,
        Subscription(database, bus, group="inference-gateway", topics=TOPICS, handlers=handlers(refresher)),
    ]
    if settings.gateway_http_listen:
        from services.inference.gateway.http.door import HttpDoor

        tokens = TokenTable.load(settings.tokens_file)
        door = HttpDoor(
            settings.gateway_http_listen,
            reasoner=reasoner,
            directory=directory,
            tokens=tokens,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
        )
        workers.append(door)
    servicer = InferenceServicer(reasoner, directory, live_idle_timeout_s=settings.gateway_live_idle_timeout_s)
    serve(
        name="inference",
        settings=settings,
        register=servicer.register,
        policy=POLICY,
        background=workers,
        checks={"database": database.check, "schema": schema_check(database.engine, package=PACKAGE)},
    )
    reasoner.close()
    tritons.close()
    bus.close()


if __name__ == "__main__":
    main()
