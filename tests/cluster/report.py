"""The page that says what was seen on the cluster."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.journal import Journal
from tests.cluster.kube import Release, run

_HEAD = """# The chart on a real cluster

Written by `make cluster-test`, {date}; Kubernetes {kubernetes}, commit {commit}, {cores} cores with a load average of
{load:.0f}. The stores are the bundled ones, the run is small: it proves the way, not the science.

"""


_BY_HAND = "## Tried by hand"
"""Where what people wrote begins; it stays."""


def write_report(path: Path, journal: Journal, release: Release) -> None:
    """Writes the journal's table with where and when it was made, before what was written by hand."""
    old = path.read_text() if path.exists() else ""
    by_hand = f"\n{_BY_HAND}{old.partition(_BY_HAND)[2]}" if _BY_HAND in old else ""
    version = json.loads(run(["kubectl", "version", "--output", "json"]))["serverVersion"]["gitVersion"]
    commit = run(["git", "-C", str(release.chart), "rev-parse", "--short", "HEAD"])
    head = _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        kubernetes=version,
        commit=commit,
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
    )
    path.write_text(f"{head}{journal.table()}\n{by_hand}")
