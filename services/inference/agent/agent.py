"""Reconciliation: from what the registry wants and what this Triton holds to what is to be done.

    reconcile   loads what is missing (fetch, verify, load, prove, record the smoke evaluation, report)
                and unloads what nobody wants, after a drain
    probe       asks each held version a real question; a dead one is unloaded and loaded again

Both may be called at any time and from their own threads; whatever happened before, a few calls bring
the Triton to the wanted state. A version that fails is reported and tried again after a while; what
served before goes on serving. Triton's own readiness is believed of no version: it survives a dead stub.
"""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from mgrd.errors import MgrdError
from services.inference import domain
from services.inference.agent.ports import Artifacts, Desired, Prover, Registry, Reporter, Triton
from services.inference.domain import State, Version
from services.inference.triton import errors
from services.inference.triton.errors import TritonError
from services.inference.triton.repository import ModelRepository, triton_name

log = logging.getLogger(__name__)


_DEAD = frozenset({errors.STUB_DEAD, errors.INTERNAL})
_SILENCES_MOST = 3
"""So many probes in a row without an answer, and a version that may just be slow counts as dead."""


@dataclass(frozen=True)
class AgentOptions:
    """Time limits and pauses of the agent."""

    replica: str
    load_timeout_s: float = 120.0
    prove_timeout_s: float = 60.0
    probe_timeout_s: float = 10.0
    retry_failed_after_s: float = 60.0
    drain_s: float = 30.0
    announce_every_s: float = 60.0


@dataclass
class Agent:
    """Keeps one Triton."""

    registry: Registry
    artifacts: Artifacts
    triton: Triton
    prover: Prover
    reporter: Reporter
    repository: ModelRepository
    options: AgentOptions
    clock: Callable[[], float] = time.monotonic
    _desired: dict[str, Desired] = field(default_factory=dict)
    _proven: dict[str, Desired] = field(default_factory=dict)
    _failed_at_s: dict[str, float] = field(default_factory=dict)
    _surplus_since_s: dict[str, float] = field(default_factory=dict)
    _announced_at_s: float = 0.0
    _silences: Counter[str] = field(default_factory=Counter)
    _busy: defaultdict[str, threading.RLock] = field(default_factory=lambda: defaultdict(threading.RLock))

    def reconcile(self) -> None:
        """One turn towards the wanted state. Raises TritonError only where Triton itself does not answer."""
        loaded = self.triton.loaded()
        self._refresh_desired()
        for name in set(self._proven) - loaded:
            log.warning("%s is no longer loaded: Triton was restarted", name)
            self._proven.pop(name, None)
        self._forgive_old_failures()
        for name in self._plan(loaded).load:
            self._bring_up(self._desired[name])
        self._note_new_aliases()
        self._retire_surplus(self._plan(self.triton.loaded() | self.repository.names()).surplus)
        self._announce_again()

    def probe(self) -> bool:
        """Asks every held version for one token; a dead one is loaded anew. False where one did not answer."""
        answers = [self._answers(name, desired) for name, desired in list(self._proven.items())]
        return all(answers)

    def _answers(self, name: str, desired: Desired) -> bool:
        try:
            self.prover.probe(name, timeout_s=self.options.probe_timeout_s)
        except TritonError as error:
            if error.reason == errors.ENGINE_FULL:  # busy, not dead
                return True
            self._silences[name] += 1
            if error.reason in _DEAD or self._silences[name] >= _SILENCES_MOST:
                self._revive(name, desired, error)
            return False
        del self._silences[name]
        return True

    def ready(self) -> frozenset[str]:
        """Digests held and proved."""
        return frozenset(desired.version.digest for desired in self._proven.values())

    def _refresh_desired(self) -> None:
        try:
            self._desired = {_name(desired): desired for desired in self.registry.desired()}
        except MgrdError as error:
            log.warning("the registry does not answer (%s): keeping what was wanted last", error)

    def _forgive_old_failures(self) -> None:
        limit_s = self.clock() - self.options.retry_failed_after_s
        self._failed_at_s = {name: at_s for name, at_s in self._failed_at_s.items() if at_s > limit_s}

    def _plan(self, loaded: Collection[str]) -> domain.Plan:
        return domain.plan(list(self._desired), proven=self._proven, loaded=loaded, failed=self._failed_at_s)

    def _bring_up(self, desired: Desired) -> None:
        """Fetches, loads and proves one version; a failure is reported and changes nothing else."""
        version = desired.version
        self.reporter.report(version, state=State.LOADING, aliases=desired.aliases)
        try:
            with self._busy[_name(desired)]:
                self._load(desired)
        except TritonError as error:
            if error.reason == errors.UNAVAILABLE:
                raise
            self._fail(desired, f"{error.reason}: {error}")
        except (MgrdError, OSError, ValueError) as error:
            self._fail(desired, f"{getattr(error, 'reason', 'LOAD_FAILED')}: {error}")
        else:
            self._smoke(desired, passed=True)
            self.reporter.report(version, state=State.READY, aliases=desired.aliases)
            log.info("%s serves %s", self.options.replica, version.name)

    def _load(self, desired: Desired) -> None:
        version = desired.version
        if desired.manifest.digest != version.digest:
            raise TritonError(
                f"the manifest of {version.name} has the digest {desired.manifest.digest}, not {version.digest}",
                reason="MANIFEST_MISMATCH",
            )
        name = self.repository.render(
            version.model, digest=version.digest, fetch=lambda to: self.artifacts.fetch(desired.manifest, to)
        )
        if name not in self.triton.loaded() or not self._works_still(name, version):
            self.triton.load(name, timeout_s=self.options.load_timeout_s)
            self._prove(name, version)
        self._proven[name] = desired

    def _works_still(self, name: str, version: Version) -> bool:
        """Whether what an earlier agent has left loaded proves itself; if not it is its process's fault, not its own.

        Triton may have been restarted since it was asked, or the stub have died unwatched.
        """
        try:
            self._prove(name, version)
        except TritonError as error:
            if error.reason == errors.UNAVAILABLE:
                raise
            log.warning("%s was found loaded and does not answer (%s): loading it again", name, error.reason)
            self._quietly_unload(name)
            return False
        return True

    def _prove(self, name: str, version: Version) -> None:
        self.prover.prove(name, front_end_version=version.front_end_version, timeout_s=self.options.prove_timeout_s)

    def _fail(self, desired: Desired, message: str) -> None:
        name = _name(desired)
        log.error("%s cannot be served here: %s", desired.version.name, message)
        self._failed_at_s[name] = self.clock()
        self._quietly_unload(name)
        self._smoke(desired, passed=False)
        self.reporter.report(desired.version, state=State.FAILED, aliases=desired.aliases, message=message)

    def _revive(self, name: str, desired: Desired, error: TritonError) -> None:
        if error.reason in (errors.UNAVAILABLE, errors.NOT_LOADED):
            return  # Triton was restarted: `reconcile` sees that and loads
        log.error("%s does not answer (%s): loading it again", name, error.reason)
        del self._silences[name]
        self.reporter.report(
            desired.version, state=State.FAILED, aliases=desired.aliases, message=f"{error.reason}: {error}"
        )
        with self._busy[name]:
            self._proven.pop(name, None)
            self._quietly_unload(name)
            self._bring_up(desired)

    def _smoke(self, desired: Desired, *, passed: bool) -> None:
        try:
            self.registry.record_smoke(desired.version, passed=passed, replica=self.options.replica)
        except MgrdError as error:
            log.warning("the smoke evaluation of %s could not be recorded: %s", desired.version.name, error)

    def _note_new_aliases(self) -> None:
        """An alias that moved to a version held already needs no load: it is ready at once."""
        for name, desired in self._desired.items():
            held = self._proven.get(name)
            if held is not None and held.aliases != desired.aliases:
                self._proven[name] = desired
                self.reporter.report(desired.version, state=State.READY, aliases=desired.aliases)

    def _retire_surplus(self, surplus: Sequence[str]) -> None:
        """Unloads what has been unwanted for the drain's length."""
        now_s = self.clock()
        for name in surplus:
            if name in self._proven and name not in self._surplus_since_s:
                self.reporter.report(self._proven[name].version, state=State.DRAINING)
        self._surplus_since_s = {name: self._surplus_since_s.get(name, now_s) for name in surplus}
        for name, since_s in list(self._surplus_since_s.items()):
            if now_s - since_s >= self.options.drain_s:
                self._retire(name)

    def _retire(self, name: str) -> None:
        with self._busy[name]:
            desired = self._proven.pop(name, None)
            self._quietly_unload(name)
            self.repository.remove(name)
            self._surplus_since_s.pop(name, None)
        if desired is not None:
            self.reporter.forget(desired.version)

    def _quietly_unload(self, name: str) -> None:
        try:
            self.triton.unload(name)
        except TritonError as error:
            log.warning("%s could not be unloaded: %s", name, error)

    def _announce_again(self) -> None:
        """Repeats what is ready now and then, so that a gateway with an empty database learns of it."""
        if self.clock() - self._announced_at_s < self.options.announce_every_s:
            return
        self._announced_at_s = self.clock()
        for desired in list(self._proven.values()):
            self.reporter.report(desired.version, state=State.READY, aliases=desired.aliases)


def _name(desired: Desired) -> str:
    return triton_name(desired.version.model, desired.version.digest)
