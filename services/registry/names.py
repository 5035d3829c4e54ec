"""The registry's resource names: from text to ids, refusing everything else."""

import re

from services.kit.errors import InvalidArgument, shown
from services.kit.names import NamePattern

MODEL = NamePattern("models/{model}")
VERSION = NamePattern("models/{model}/versions/{version}")
ALIAS = NamePattern("models/{model}/aliases/{alias}")
UPLOAD = NamePattern("uploads/{upload}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_RESOURCE = re.compile(r"[a-z0-9-]{1,63}(/[a-z0-9-]{1,63}){0,7}")


def model_of(name: str, *, field: str) -> str:
    """The model's id."""
    return MODEL.parse(name, field=field)[0]


def version_of(name: str, *, field: str) -> tuple[str, int]:
    """The model's id and the version's number."""
    model, number = VERSION.parse(name, field=field)
    if not _NUMBER.fullmatch(number):
        raise InvalidArgument(f"{shown(name)} does not end in a version's number", field=field, reason="INVALID_NAME")
    return model, int(number)


def alias_of(name: str, *, field: str) -> tuple[str, str]:
    """The model's id and the alias's."""
    model, alias = ALIAS.parse(name, field=field)
    return model, alias


def model_or_all(name: str, *, field: str) -> str | None:
    """The model's id, or None for `models/-`."""
    model = MODEL.parse(name, field=field, wildcard=True)[0]
    return None if model == "-" else model


def version_within(name: str, *, model: str, field: str) -> int:
    """The number of a version that must be of this model."""
    found, number = version_of(name, field=field)
    _check_same_model(name, found, model=model, field=field)
    return number


def alias_within(name: str, *, model: str, field: str) -> str:
    """The id of an alias that must be of this model."""
    found, alias = alias_of(name, field=field)
    _check_same_model(name, found, model=model, field=field)
    return alias


def upload_of(name: str, *, field: str) -> str:
    """The upload's id."""
    return UPLOAD.parse(name, field=field)[0]


def resource_of(name: str, *, field: str) -> str:
    """A resource name or the beginning of one, whole segments; empty stands for everything."""
    if name and not _RESOURCE.fullmatch(name):
        raise InvalidArgument(
            f"{shown(name)} is no resource; write one such as models/nano or models/nano/aliases/production",
            field=field,
            reason="INVALID_NAME",
        )
    return name


def _check_same_model(name: str, found: str, *, model: str, field: str) -> None:
    if found != model:
        raise InvalidArgument(f"{name} is not of models/{model}", field=field, reason="OTHER_MODEL")
