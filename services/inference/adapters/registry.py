"""The registry as the inference service reads it: aliases, immutable versions, the last promotion.

Versions never change, so each is asked for once. Failures are `mgrd.clients.errors.CallError`s.
"""

import logging
from collections.abc import Sequence

from mgrd.clients import Connection, RegistryClient
from mgrd.clients.registry_values import Evaluation
from mgrd.manifest import Manifest
from services.inference import domain
from services.inference.agent.ports import Desired

log = logging.getLogger(__name__)

SMOKE = "smoke"
EVERY_ALIAS = "models/-"
_PAGE = 1000


class RegistryReader:
    """The registry behind a connection; safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._client = RegistryClient(connection)
        self._versions: dict[str, tuple[domain.Version, Manifest]] = {}

    def aliases(self) -> Sequence[tuple[str, domain.Version]]:
        """Every alias that points somewhere, with the version it wants."""
        found = self._client.list_aliases(EVERY_ALIAS, page_size=_PAGE)
        return [(alias.name, self.version(alias.version)) for alias in found if alias.version]

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
        self._client.create_evaluation(version.name, evaluation=Evaluation(SMOKE, {"passed": float(passed)}))
        log.info("%s: smoke evaluation on %s, passed=%s", version.name, replica, passed)

    def _last_smoke(self, version: domain.Version) -> bool | None:
        evaluations = self._client.list_evaluations(version.name, page_size=_PAGE)
        return next((bool(one.metrics["passed"]) for one in evaluations if one.suite == SMOKE), None)

    def _fallback(self, alias: str, version: domain.Version) -> Sequence[domain.Version]:
        """The version production pointed at before, so that a rollback is a switch."""
        if not alias.endswith(f"/{domain.PRODUCTION}"):
            return ()
        last = next(self._client.list_promotions(alias, page_size=1), None)
        previous = last.previous_version if last else ""
        return (self.version(previous),) if previous and previous != version.name else ()

    def _known(self, name: str) -> tuple[domain.Version, Manifest]:
        if name not in self._versions:
            found = self._client.get_version(name)
            version = domain.Version(found.name, found.digest, found.manifest.front_end_version)
            self._versions[name] = (version, found.manifest)
        return self._versions[name]
