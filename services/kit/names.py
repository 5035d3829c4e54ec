"""Resource names such as `models/{model}/versions/{version}` (AIP-122), parsed and formatted in one place.

Promises that an accepted id is a DNS label of at most 63 characters, so no name can carry a path, a quote, a
control or a direction character anywhere. Nothing is decoded: `%2e` is as wrong as `..`.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from services.kit.errors import InvalidArgument, shown

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_WILDCARD = "-"


def check_id(value: str, *, field: str) -> str:
    """The id itself if it is a DNS label; InvalidArgument otherwise."""
    if not _ID.fullmatch(value):
        raise InvalidArgument(
            f"{shown(value)} is not an id; use 1 to 63 lower-case letters, digits and inner hyphens",
            field=field,
            reason="INVALID_ID",
        )
    return value


@dataclass(frozen=True)
class NamePattern:
    """The shape of a resource's name: literal and `{variable}` segments in turn."""

    pattern: str

    @cached_property
    def _segments(self) -> tuple[str, ...]:
        return tuple(self.pattern.split("/"))

    def parse(self, name: str, *, field: str = "name", wildcard: bool = False) -> tuple[str, ...]:
        """The ids in `name`, in order; with `wildcard` an id may be `-`. Raises InvalidArgument."""
        segments = name.split("/") if len(name) <= 1024 else []
        if len(segments) != len(self._segments):
            raise self._wrong(name, field)
        ids = []
        for expected, found in zip(self._segments, segments, strict=True):
            if expected.startswith("{"):
                ids.append(found if wildcard and found == _WILDCARD else check_id(found, field=field))
            elif expected != found:
                raise self._wrong(name, field)
        return tuple(ids)

    def format(self, *ids: str | int) -> str:
        """The name of the resource with these ids."""
        variables = iter(ids)
        return "/".join(str(next(variables)) if part.startswith("{") else part for part in self._segments)

    def _wrong(self, name: str, field: str) -> InvalidArgument:
        return InvalidArgument(
            f"{shown(name)} is not a name of the form {self.pattern}", field=field, reason="INVALID_NAME"
        )
