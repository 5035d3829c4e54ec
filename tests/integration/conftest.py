"""A registry on both databases, for every test of this folder that asks for one."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.registry.harness import Platform, empty_database, postgres_in_a_folder_of_its_own, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_in_a_folder_of_its_own() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    if request.param == "sqlite":
        with running(tmp_path) as found:
            yield found
        return
    with empty_database(request.getfixturevalue("postgres"), uuid.uuid4().hex) as url:
        with running(tmp_path, database_url=url) as found:
            yield found
