"""The registry as the inference service reads it: aliases, immutable versions, the last promotion.

Versions never change, so each is asked for once. Failures are `mgrd.clients.errors.CallError`s.
"""

import logging
import uuid
from collections.abc import Iterator, Sequence

from mgrd.clients.connection import Connection
from mgrd.manifest import Manifest, ManifestFile
from mgrd.registry.v1 import registry_pb2 as wire
from mgrd.registry.v1 import registry_pb2_grpc as stubs
from services.inference import domain
from services.inference.agent.ports import Desired

log = logging.getLogger(__name__)

SMOKE = "smoke"
EVERY_ALIAS = "models/-"


class RegistryReader:
    """The registry behind a connection; safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = stubs.RegistryServiceStub(connection.channel)
        self._versions: dict[str, tuple[domain.Version, Manifest]] = {}

    def aliases(self) -> Sequence[tuple[str, domain.Version]]:
        """Every alias that points somewhere, with the version it wants."""
        return [(alias.name, self.version(alias.version)) for alias in self._pages() if alias.version]

    def version(self, name: str) -> domain.Version:
        """A version by its name."""
        return self._known(name)[0]

    def desired(self) -> Sequence[Desired]:
        """What a Triton is to hold: all aliases' versions, and what production would be rolled back to."""
        aliases = self.aliases()
        fallbacks = [found for name, version in aliases for found in self._fallback(name, version)]
        by_digest: dict[str, list[str]] = {}
        for name, version in aliases:
            by_digest.setdefault(version.digest, []).append(name)
        return [
            Desired(version, self._known(version.name)[1], tuple(sorted(by_digest.get(version.digest, ()))))
            for version in domain.by_urgency(aliases, fallbacks=fallbacks)
        ]

    def record_smoke(self, version: domain.Version, *, passed: bool, replica: str) -> None:
        """Records whether a version could be loaded and proved, unless that is what the last record says."""
        if self._last_smoke(version) == passed:
            return
        evaluation = wire.Evaluation(suite=SMOKE, metrics={"passed": float(passed)})
        request = wire.CreateEvaluationRequest(parent=version.name, evaluation=evaluation, request_id=str(uuid.uuid4()))
        self._connection.unary(self._stub.CreateEvaluation, request)
        log.info("%s: smoke evaluation on %s, passed=%s", version.name, replica, passed)

    def _last_smoke(self, version: domain.Version) -> bool | None:
        request = wire.ListEvaluationsRequest(parent=version.name, page_size=1000)
        evaluations = self._connection.unary(self._stub.ListEvaluations, request).evaluations
        return next((bool(one.metrics["passed"]) for one in evaluations if one.suite == SMOKE), None)

    def _fallback(self, alias: str, version: domain.Version) -> Sequence[domain.Version]:
        """The version production pointed at before, so that a rollback is a switch."""
        if not alias.endswith(f"/{domain.PRODUCTION}"):
            return ()
        request = wire.ListPromotionsRequest(parent=alias, page_size=1)
        promotions = self._connection.unary(self._stub.ListPromotions, request).promotions
        previous = promotions[0].previous_version if promotions else ""
        return (self.version(previous),) if previous and previous != version.name else ()

    def _pages(self) -> Iterator[wire.Alias]:
        token = ""
        while True:
            request = wire.ListAliasesRequest(parent=EVERY_ALIAS, page_size=1000, page_token=token)
            page = self._connection.unary(self._stub.ListAliases, request)
            yield from page.aliases
            token = page.next_page_token
            if not token:
                return

    def _known(self, name: str) -> tuple[domain.Version, Manifest]:
        if name not in self._versions:
            response = self._connection.unary(self._stub.GetVersion, wire.GetVersionRequest(name=name))
            self._versions[name] = _version(response.version)
        return self._versions[name]


def _version(found: wire.Version) -> tuple[domain.Version, Manifest]:
    manifest = Manifest(
        files=tuple(ManifestFile(file.path, file.size_bytes, file.sha256) for file in found.manifest.files),
        front_end_version=found.manifest.front_end_version,
        architecture=found.manifest.architecture,
        format_version=found.manifest.format_version,
    )
    return domain.Version(found.name, found.digest, manifest.front_end_version), manifest
