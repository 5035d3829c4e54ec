"""Who calls, and what they may do: bearer tokens from a table, roles per method, deny by default.

Promises that a token is never kept or logged (the table holds SHA-256 digests) and that a changed table is seen
without a restart. Leaves rules about resources, such as approver is not author, to the services.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

from services.kit.errors import PermissionDenied, Unauthenticated

Kind = Literal["person", "service"]
Policy = Mapping[str, frozenset[str]]

ROLES = frozenset({"reader", "author", "approver", "operator", "step", "agent", "gateway"})
ANYONE = ROLES
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """The owner of a token."""

    subject: str
    kind: Kind
    roles: frozenset[str]

    @property
    def is_person(self) -> bool:
        return self.kind == "person"


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def current_caller() -> Caller:
    """The caller of the RPC this thread serves; raises Unauthenticated outside of one."""
    caller = _current.get()
    if caller is None:
        raise Unauthenticated("there is no authenticated caller here", reason="NO_CALLER")
    return caller


@contextmanager
def calling_as(caller: Caller | None) -> Iterator[None]:
    """Makes `caller` the current one within the block."""
    token = _current.set(caller)
    try:
        yield
    finally:
        _current.reset(token)


class TokenTable:
    """Maps bearer tokens to callers, from a JSON file that is read again whenever it changes.

    A change that cannot be read is logged and leaves everybody who they were.
    """

    def __init__(
        self, path: Path | None, callers: Mapping[str, Caller], *, stamp: tuple[int, int, int] | None = None
    ) -> None:
        self._path = path
        self._callers = callers
        self._stamp = stamp
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads {"tokens": [{"sha256", "subject", "kind", "roles"}]}; ValueError names a wrong entry."""
        stamp = _stamp(Path(path))  # before reading: a change in between is then seen at the next call
        return cls(Path(path), _read(Path(path)), stamp=stamp)

    @classmethod
    def of(cls, callers_by_token: Mapping[str, Caller]) -> Self:
        """A fixed table in memory, for tests and tools."""
        return cls(None, {_digest(token): caller for token, caller in callers_by_token.items()})

    def caller(self, authorization: str) -> Caller:
        """The caller of an `authorization` header; Unauthenticated with the remedy otherwise."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(
                "the call carries no token; send metadata 'authorization: Bearer <token>'", reason="TOKEN_MISSING"
            )
        self._refresh()
        caller = self._callers.get(_digest(token.strip()))
        if caller is None:
            raise Unauthenticated("the token is not known; ask an operator for a new one", reason="TOKEN_UNKNOWN")
        return caller

    def _refresh(self) -> None:
        stamp = _stamp(self._path)
        if self._path is None or stamp is None or stamp == self._stamp:
            return
        with self._lock:
            self._stamp = stamp
            try:
                self._callers = _read(self._path)
            except (ValueError, KeyError, TypeError) as error:
                _log.error("the changed table of tokens cannot be read, the one before stays valid: %s", error)


def authorize(caller: Caller, *, method: str, policy: Policy) -> None:
    """Lets the call pass if the policy names one of the caller's roles for the method; else PermissionDenied."""
    allowed = policy.get(method, frozenset())
    if not caller.roles & allowed:
        wanted = " or ".join(sorted(allowed)) or "nobody"
        raise PermissionDenied(
            f"{caller.subject} may not call {method.rpartition('/')[2]}, which is for: {wanted}",
            reason="ROLE_MISSING",
            metadata={"method": method},
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None  # being replaced: the table in memory stays valid
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> dict[str, Caller]:
    rows = json.loads(path.read_text())["tokens"]
    return {row["sha256"]: _caller(row, path) for row in rows}


def _caller(row: Mapping[str, Any], path: Path) -> Caller:
    subject, kind, roles = row["subject"], row["kind"], row["roles"]
    known = isinstance(roles, list) and set(roles) <= ROLES
    if not known or kind not in get_args(Kind) or not isinstance(subject, str):
        raise ValueError(f"{path}: token of {subject!r} has kind {kind!r}, roles {roles!r}; roles are {sorted(ROLES)}")
    return Caller(subject=subject, kind="person" if kind == "person" else "service", roles=frozenset(roles))
