"""docker-compose.yml brought up for real: from a clone to a served answer. Needs Docker's engine 25 or newer, the
images (built where they are missing) and the ports of the file; takes tens of minutes.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrd.clients import Clients, connect
from mgrd.home import Home
from tests.cluster.__main__ import SMALL
from tests.cluster.journal import Journal
from tests.cluster.scenario import main_job
from tests.support.requires import missing

ROOT = Path(__file__).parents[2]
UP = ROOT / "tools" / "compose" / "up.sh"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The folder of a platform under Docker Compose, forgotten at the end with its data."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        missing("Docker's engine", "start it; 25 or newer, with the compose plugin")
    folder = tmp_path_factory.mktemp("compose")
    environment = {**os.environ, "MGRD_COMPOSE_HOME": str(folder)}
    try:
        subprocess.run([UP], env=environment, check=True)
        yield Home(folder)
    finally:
        subprocess.run([UP, "down", "--volumes"], env=environment, check=True)


@pytest.fixture
def people(home: Home) -> Iterator[dict[str, Clients]]:
    """Clients by the name of who calls."""
    found = {name: connect(home=home, person=name, retry_for_s=90.0) for name in ("ana", "ben", "olga", "steps")}
    yield found
    for clients in found.values():
        clients.close()


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_main_job_leads_to_a_served_answer(people: dict[str, Clients], tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    main_job(people, SMALL, journal, run_id="")
    assert [f"{one.step}: {one.note}" for one in journal.entries if not one.held] == []
    assert journal.entries
