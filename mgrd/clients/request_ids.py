"""Ids of requests: what makes a repeated request the same one (AIP-155)."""

from uuid import UUID, uuid4, uuid5

_NAMESPACE = UUID("6f1d6f0e-6a55-5d4f-9a39-6a1f6f2f4d10")


def given_or_new(request_id: str | None) -> str:
    """The caller's own id, or one that nobody has used."""
    return request_id or str(uuid4())


def id_of(*about: str | int) -> str:
    """The UUID5 of what a request is about: whoever repeats the request, after a crash too, repeats its id."""
    return str(uuid5(_NAMESPACE, "/".join(map(str, about))))
