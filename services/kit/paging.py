"""Pages of lists (AIP-158): sizes, and opaque keyset tokens bound to the filters they were made for.

Promises that a token carries no authority: it says where to go on, and a token that was altered, or made for
another list, is refused. Leaves the query to the caller: ask for `page.size + 1` rows after `page.after`.
"""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.kit.errors import InvalidArgument

DEFAULT_SIZE = 50
MAXIMUM_SIZE = 1000

Key = tuple[str | int | float, ...]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Page:
    """One page asked for: how many rows, after which key (None: from the start), in which list."""

    size: int
    after: Key | None
    binding: str

    def cut(self, rows: Sequence[Row], *, key: Callable[[Row], Key]) -> tuple[Sequence[Row], str]:
        """The page of up to `size + 1` rows, and the token of the next page, empty where this is the last."""
        if len(rows) <= self.size:
            return rows, ""
        kept = rows[: self.size]
        return kept, _token(key(kept[-1]), self.binding)


def read_page(
    page_size: int,
    page_token: str,
    *,
    filters: Sequence[str] = (),
    default: int = DEFAULT_SIZE,
    most: int = MAXIMUM_SIZE,
) -> Page:
    """The page a request asks for; `filters` are the method and every field that selects rows.

    Size 0 is the default and a size too big becomes the greatest; negative is InvalidArgument, as is a foreign token.
    """
    if page_size < 0:
        raise InvalidArgument(
            f"page_size is {page_size}; use 0 for the default or a positive number", field="page_size"
        )
    binding = hashlib.sha256(json.dumps(list(filters)).encode()).hexdigest()
    return Page(min(page_size or default, most), _key(page_token, binding) if page_token else None, binding)


def _token(key: Key, binding: str) -> str:
    body = json.dumps(key)
    return base64.urlsafe_b64encode(f"{_seal(body, binding)}{body}".encode()).decode().rstrip("=")


def _key(token: str, binding: str) -> Key:
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _foreign() from None
    seal, body = text[:32], text[32:]
    if seal != _seal(body, binding):
        raise _foreign()
    return _read_key(body)


def _read_key(body: str) -> Key:
    """The seal keeps tokens apart and is no secret, so what it covers is looked at too."""
    try:
        key = json.loads(body)
    except (ValueError, RecursionError):
        raise _foreign() from None
    if not isinstance(key, list) or not key or not all(map(_is_storable, key)):
        raise _foreign()
    return tuple(key)


def _is_storable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**63)


def _seal(body: str, binding: str) -> str:
    return hashlib.sha256(f"mgrd-page/1 {binding} {body}".encode()).hexdigest()[:32]


def _foreign() -> InvalidArgument:
    return InvalidArgument(
        "page_token was not made by this list with these filters; start again without a token",
        field="page_token",
        reason="INVALID_PAGE_TOKEN",
    )
