"""Lists that come in pages, as one iterator."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mgrd.clients.codec import read

Item = TypeVar("Item")


def every(kind: type[Item], page: Callable[[str], Any], *, field: str) -> Iterator[Item]:
    """The items of all pages; the next page is asked for when it is needed. `page` takes the page token."""
    token = ""
    while True:
        response = page(token)
        for message in getattr(response, field):
            yield read(kind, message)
        token = response.next_page_token
        if not token:
            return
