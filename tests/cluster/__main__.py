"""Installs the chart with its bundled stores and tries it: `make cluster-test KUBECONFIG=...`.

    python -m tests.cluster [--keep-release] [--parts install,job,...] [--report docs/cluster-report.md]

The images must be in the cluster (`make images`, and `python -m tools.images --stores`), helm and kubectl on the PATH,
and the cluster's Service addresses reachable from here. Exits with 1 where a step did not hold.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.journal import Journal, until
from tests.cluster.kube import Release
from tests.cluster.people import people
from tests.cluster.report import write_report
from tests.cluster.scenario import back_up_and_restore, change_while_asked, main_job, main_job_among_deaths, resident_mb
from tests.cluster.training import train_on_pods

ROOT = Path(__file__).parents[2]
BUNDLED = ("--set", "bundled.enabled=true", "--set", "orchestrator.executor=local")
# The way and not the science: a run of minutes on two cores.
SMALL = {
    "train_scenes": 48,
    "heldout_scenes": 24,
    "questions": 24,
    "candidates": 4,
    "sft_epochs": 1,
    "rl_steps": 1,
    "rl_prompts": 2,
    "rl_samples": 4,
}
PARTS = ("install", "job", "kill", "restore", "upgrade", "train")
SERVICES = ("features", "registry", "orchestrator", "inference")


def main() -> None:
    """Entry point."""
    chosen = _arguments()
    parts = chosen.parts
    release = Release(chosen.release, chosen.namespace, ROOT / "charts" / "mgrd")
    journal = Journal(Path(tempfile.mkdtemp(prefix="mgrd-cluster-")) / "journal.jsonl")
    print(f"journal: {journal.path}")  # noqa: T201 - a command's output
    if "install" in parts:
        _install(release, journal)
    with tempfile.TemporaryDirectory() as folder:
        clients = people(release, Path(folder))
        parameters = json.loads(chosen.parameters) if chosen.parameters else SMALL
        if "job" in parts:
            main_job(clients, parameters, journal, run_id=chosen.run)
        if "kill" in parts:
            main_job_among_deaths(release, clients, parameters, journal)
        if "restore" in parts:
            back_up_and_restore(release, clients, journal)
        if "upgrade" in parts:
            upgrade = ("upgrade", str(release.chart), "--reset-then-reuse-values", *_newer(chosen.next_control))
            change_while_asked(release, clients["ana"], journal, name="helm upgrade while asked", change=upgrade)
            change_while_asked(release, clients["ana"], journal, name="helm rollback while asked", change=("rollback",))
    if "train" in parts:
        train_on_pods(release, journal)
    write_report(chosen.report, journal, release)
    if not chosen.keep_release:
        release.helm("uninstall")
    sys.exit(0 if all(entry.held for entry in journal.entries) else 1)


def _install(release: Release, journal: Journal) -> None:
    with journal.step("helm install → all pods ready") as notes:
        release.helm("install", str(release.chart), "--create-namespace", *BUNDLED)
        started_s = time.monotonic()
        until(release.is_ready, timeout_s=900.0, what="all pods are ready")
        notes.append(f"{time.monotonic() - started_s:.0f} s after helm returned")
    with journal.step("memory of the four services") as notes:
        sizes = {component: resident_mb(release, component) for component in SERVICES}
        notes.append(f"{sum(sizes.values()):.0f} MB: " + ", ".join(f"{name} {mb:.0f}" for name, mb in sizes.items()))


def _newer(control: str) -> tuple[str, ...]:
    """What an upgrade changes: the image of the services where one is named, and what every service logs."""
    image = ("--set", f"images.control.repository={control}") if control else ()
    return ("--set", "telemetry.logLevel=DEBUG", *image)


def _parts(given: str) -> tuple[str, ...]:
    chosen = tuple(given.split(","))
    if unknown := set(chosen) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not a part; there are {','.join(PARTS)}")
    return chosen


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--release", default="mgrd")
    parser.add_argument("--namespace", default="mgrd")
    parser.add_argument("--parts", type=_parts, default=PARTS, help=f"of {','.join(PARTS)}; default: all")
    parser.add_argument("--parameters", default="", help="JSON: parameters of the run")
    parser.add_argument("--run", default="", help="id of a run to follow, in place of a new one")
    parser.add_argument("--next-control", default="", help="repository of an image of control with a later schema")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "cluster-report.md")
    parser.add_argument("--keep-release", action="store_true", help="leave the release in the cluster")
    return parser.parse_args()


if __name__ == "__main__":
    main()
