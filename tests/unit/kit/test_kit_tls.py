"""TLS between services: certificates checked on both sides, renewed without a restart, never plain by mistake."""

import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from mgrd.clients import Connection, RegistryClient
from mgrd.clients.errors import UnavailableError
from mgrd.clients.tls import Tls
from mgrd.errors import MgrdError
from mgrd.registry.v1 import registry_pb2 as pb
from mgrd.registry.v1 import registry_pb2_grpc
from services.inference.gateway.http.door import HttpDoor
from services.kit.auth import Caller, TokenTable
from services.kit.server import in_process
from services.kit.settings import ServiceSettings, SettingsError
from tests.support.certificates import Identity, issue
from tests.support.ports import free_port, wait_for_port

POLICY = {"/mgrd.registry.v1.RegistryService/GetModel": frozenset({"reader"})}
ADA = Caller(subject="ada", kind="person", roles=frozenset({"reader"}))


class Registry(registry_pb2_grpc.RegistryServiceServicer):
    def GetModel(self, request: pb.GetModelRequest, context: grpc.ServicerContext) -> pb.GetModelResponse:
        return pb.GetModelResponse(model=pb.Model(name=request.name))


@dataclass(frozen=True)
class Platform:
    """A CA, what it signed, and a token."""

    ca: Identity
    server: Identity
    caller: Identity
    stranger: Identity
    token: Path

    def settings(self, **more: object) -> ServiceSettings:
        named = {"tls_cert": str(self.server.cert), "tls_key": str(self.server.key), "tls_ca": str(self.ca.cert)}
        return ServiceSettings(**{**named, **more})

    def ask(self, address: str, tls: Tls | None) -> str:
        connection = Connection(address, token_file=self.token, timeout_s=5, retry_for_s=0, tls=tls)
        try:
            return RegistryClient(connection).get_model("models/m").name
        finally:
            connection.close()


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    ca = issue(tmp_path, "ca")
    (tmp_path / "token").write_text("t")
    return Platform(
        ca=ca,
        server=issue(tmp_path, "server", by=ca),
        caller=issue(tmp_path, "caller", by=ca),
        stranger=issue(tmp_path, "stranger"),
        token=tmp_path / "token",
    )


@contextmanager
def serving(settings: ServiceSettings) -> Iterator[str]:
    server, port = in_process(
        register=lambda found: registry_pb2_grpc.add_RegistryServiceServicer_to_server(Registry(), found),
        policy=POLICY,
        tokens=TokenTable.of({"t": ADA}),
        settings=settings,
    )
    yield f"127.0.0.1:{port}"
    server.stop(0)


def test_a_caller_that_trusts_the_ca_is_served(platform: Platform) -> None:
    with serving(platform.settings()) as address:
        assert platform.ask(address, Tls(platform.ca.cert)) == "models/m"


def test_a_plain_caller_and_one_that_trusts_another_ca_are_not(platform: Platform) -> None:
    with serving(platform.settings()) as address:
        for tls in (None, Tls(platform.stranger.cert)):
            with pytest.raises(UnavailableError):
                platform.ask(address, tls)


def test_mutual_tls_wants_a_certificate_of_the_same_ca(platform: Platform) -> None:
    caller, stranger = platform.caller, platform.stranger
    with serving(platform.settings(tls_mutual=True)) as address:
        assert platform.ask(address, Tls(platform.ca.cert, caller.cert, caller.key)) == "models/m"
        for tls in (Tls(platform.ca.cert), Tls(platform.ca.cert, stranger.cert, stranger.key)):
            with pytest.raises(UnavailableError):
                platform.ask(address, tls)


def test_a_renewed_certificate_is_shown_to_the_next_caller(platform: Platform, tmp_path: Path) -> None:
    with serving(platform.settings()) as address:
        assert platform.ask(address, Tls(platform.ca.cert)) == "models/m"
        other = issue(tmp_path / "new", "ca")
        renewed = issue(tmp_path / "new", "server", by=other)
        renewed.cert.replace(platform.server.cert)
        renewed.key.replace(platform.server.key)
        assert platform.ask(address, Tls(other.cert)) == "models/m"


@pytest.mark.parametrize("missing", ["tls_cert", "tls_key"])
def test_half_a_configuration_is_an_error_and_not_plain_text(platform: Platform, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"MGRD_{missing.upper()}"), serving(platform.settings(**{missing: ""})):
        pass


def test_mutual_tls_without_a_ca_is_an_error(platform: Platform) -> None:
    with pytest.raises(SettingsError, match="MGRD_TLS_CA"), serving(platform.settings(tls_mutual=True, tls_ca="")):
        pass


def test_a_file_that_is_not_there_is_named(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none"), serving(platform.settings(tls_key=str(tmp_path / "none"))):
        pass
    with pytest.raises(MgrdError, match="none") as refused:
        platform.ask("127.0.0.1:1", Tls(tmp_path / "none"))
    assert refused.value.reason == "NO_CERTIFICATE"


def test_the_environment_says_whom_to_trust() -> None:
    assert Tls.from_environment({}) is None
    assert Tls.from_environment({"MGRD_TLS_CA": "/ca"}) == Tls(Path("/ca"))
    both = {"MGRD_TLS_CA": "/ca", "MGRD_TLS_CERT": "/c", "MGRD_TLS_KEY": "/k"}
    assert Tls.from_environment(both) == Tls(Path("/ca"), Path("/c"), Path("/k"))
    assert ServiceSettings(tls_ca="/ca").client_tls() == Tls(Path("/ca"))


def test_the_http_door_shows_the_certificate(platform: Platform) -> None:
    port = free_port()
    door = HttpDoor(
        f"127.0.0.1:{port}",
        reasoner=None,
        directory=None,
        tokens=TokenTable.of({}),
        tls_cert=str(platform.server.cert),
        tls_key=str(platform.server.key),
    )
    stopping = threading.Event()
    thread = threading.Thread(target=door.run, args=(stopping,))
    thread.start()
    try:
        trusting = ssl.create_default_context(cafile=str(platform.ca.cert))
        wait_for_port(port, timeout_s=20)
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", context=trusting, timeout=5) as answer:
            assert answer.status == 200
    finally:
        stopping.set()
        thread.join()
