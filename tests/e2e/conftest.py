"""One whole platform for the tests of this folder: real processes, real Triton, state in a temporary folder."""

from collections.abc import Iterator

import pytest

from mgrd.clients import Clients, connect
from mgrd.home import Home
from mgrd.platform import control
from tests.support.tritons import require_triton


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The folder of a running, healthy platform."""
    require_triton()
    home = Home(tmp_path_factory.mktemp("platform"))
    try:
        control.up(home, timeout_s=120.0)
        yield home
    finally:
        control.down(home)


@pytest.fixture
def people(home: Home) -> Iterator[dict[str, Clients]]:
    """Clients by the name of who calls."""
    found = {name: connect(home=home, person=name, retry_for_s=30.0) for name in ("ana", "ben", "olga", "steps")}
    yield found
    for clients in found.values():
        clients.close()
