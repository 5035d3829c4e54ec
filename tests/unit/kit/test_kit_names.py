"""Resource names: what is accepted is safe anywhere, everything else is refused with its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import InvalidArgument
from services.kit.names import NamePattern, check_id

VERSION = NamePattern("models/{model}/versions/{version}")
HOSTILE = [
    "", "models/m", "models/m/versions/", "models//versions/1", "models/../versions/1", "models/%2e%2e/versions/1",
    "models/a\0/versions/1", "models/a\n/versions/1", "models/\u202ea/versions/1",
    "models/A/versions/1",
    "models/-a/versions/1", "models/a'--/versions/1", "models/" + "a" * 64 + "/versions/1", "x" * 10_000,
    "/models/m/versions/1", "models/m/versions/1/", "models\\m\\versions\\1", "models/m/aliases/1",
    "models/ä/versions/1",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_briefly(name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        VERSION.parse(name, field="version")
    assert refused.value.field == "version"
    assert len(refused.value.message) < 250
    assert refused.value.message.isascii()


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True), st.integers(1, 10**9))
def test_formatting_and_parsing_are_inverse(model: str, version: int) -> None:
    assert VERSION.parse(VERSION.format(model, version)) == (model, str(version))


@given(st.text())
def test_an_accepted_id_is_a_dns_label(text: str) -> None:
    try:
        accepted = check_id(text, field="id")
    except InvalidArgument:
        return
    assert accepted.isascii()
    assert len(accepted) <= 63
    assert accepted.strip("-") == accepted


def test_a_wildcard_must_be_asked_for() -> None:
    model = NamePattern("models/{model}")
    assert model.parse("models/-", wildcard=True) == ("-",)
    with pytest.raises(InvalidArgument):
        model.parse("models/-")
