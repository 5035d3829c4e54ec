"""Who may do what on a local platform: a token per person and per service, made once.

Promises that tokens are random, readable by their owner's account alone, and that the services see only their
SHA-256. The people are examples of the roles a real installation maps from its identity provider.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mgrd.files import write_whole
from mgrd.home import Home

_PRIVATE = 0o600


@dataclass(frozen=True)
class Identity:
    """Somebody with a token."""

    name: str
    kind: str
    """"person" or "service"."""
    roles: tuple[str, ...]
    purpose: str


PEOPLE = (
    Identity("ana", "person", ("reader", "author"), "starts runs, registers and promotes"),
    Identity("ben", "person", ("reader", "approver"), "approves what others made"),
    Identity("olga", "person", ("reader", "operator"), "operates the platform, rolls back"),
    Identity("rita", "person", ("reader",), "looks and asks"),
)
SERVICES = (
    Identity("features", "service", ("reader",), "the features service"),
    Identity("orchestrator", "service", ("reader",), "the orchestrator"),
    Identity("registry", "service", ("reader",), "the registry"),
    Identity("gateway", "service", ("reader", "gateway"), "the inference gateway"),
    Identity("agent", "service", ("reader", "agent"), "the agent beside Triton"),
    Identity("steps", "service", ("reader", "step"), "steps of the pipeline"),
)


def issue_tokens(home: Home) -> None:
    """Makes the tokens of a local platform that are missing, and the table the services check them against."""
    issue(home.tokens, (*PEOPLE, *SERVICES))


def issue(folder: Path, identities: Sequence[Identity]) -> None:
    """Makes NAME.token in `folder` for each who has none, and table.json with all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    rows = [
        {"sha256": _digest(_token(folder, one)), "subject": one.name, "kind": one.kind, "roles": list(one.roles)}
        for one in identities
    ]
    write_whole(folder / "table.json", json.dumps({"tokens": rows}, indent=1), mode=_PRIVATE)


def issue_secret(path: Path) -> None:
    """A random secret in a file of its own, made once."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, secrets.token_urlsafe(32), mode=_PRIVATE)


def _token(folder: Path, identity: Identity) -> str:
    path = folder / f"{identity.name}.token"
    issue_secret(path)
    return path.read_text().strip()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
