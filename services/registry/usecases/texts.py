"""Bounds of the texts callers send: names within a result, and free text."""

import re

from services.kit.errors import InvalidArgument, shown

FREE_TEXT_MOST_CHARS = 10_000
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}")


def checked_label(value: str, *, field: str) -> str:
    """A suite, metric or stamp: up to 100 letters, digits and `._/+-`."""
    if not _LABEL.fullmatch(value):
        raise InvalidArgument(
            f"{shown(value)} is no label; use 1 to 100 letters, digits and ._/+-, a letter or digit first",
            field=field,
            reason="INVALID_LABEL",
        )
    return value


def checked_text(value: str, *, field: str, required: bool = False) -> str:
    """A text for people."""
    if len(value) > FREE_TEXT_MOST_CHARS or (required and not value.strip()):
        bound = f"{1 if required else 0} to {FREE_TEXT_MOST_CHARS}"
        raise InvalidArgument(f"{field} has {len(value)} characters; write {bound}", field=field, reason="INVALID_TEXT")
    return value
