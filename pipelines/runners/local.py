"""Runs the compiled pipeline on this machine with kfp.local.

    python -m pipelines.runners.local --run RUN --spec SPEC.json --workdir DIR [--template FILE]

Promises that everything of a run lies in its folder: a run started again there takes finished steps from its cache and
goes on with the next; a lock keeps a second runner out of it; `process.json` says who is at work; `outcome.json`
appears, whole, when the run has ended and never before. Leaves states, restarts and cancelling to the orchestrator,
which starts this as a process group of its own.
"""

import argparse
import fcntl
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mgrd.files import write_whole

TEMPLATE = Path(__file__).parents[1] / "compiled" / "mgrd.yaml"
OUTCOME = "outcome.json"
PROCESS = "process.json"
EXIT_BUSY = 75
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    succeeded: bool
    error: str = ""

    def write(self, workdir: Path) -> None:
        """Puts the outcome in its place in one step."""
        write_whole(workdir / OUTCOME, json.dumps(asdict(self)))


def run(*, run_id: str, parameters: Mapping[str, Any], workdir: Path, template: Path = TEMPLATE) -> Outcome:
    """Executes the template to its end, reusing what an earlier try in `workdir` has finished."""
    os.environ.update(step_environment(run_id, workdir))
    from kfp import components, local

    warnings.filterwarnings("ignore", category=RuntimeWarning, module="kfp.local")
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(workdir / "artifacts"),
        enable_caching=True,
        cache_root=str(workdir / "cache"),
        raise_on_error=True,
    )
    pipeline = components.load_component_from_file(str(template))
    try:
        pipeline(**parameters)
    except RuntimeError as error:  # kfp's word for a failed task; it names the task
        return Outcome(succeeded=False, error=_plain(str(error)))
    return Outcome(succeeded=True)


def step_environment(run_id: str, workdir: Path) -> dict[str, str]:
    """What the steps of a local run find in their environment, beside the platform's addresses."""
    root = str(Path(__file__).parents[2])
    paths = [root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        "MGRD_RUN": run_id,
        "MGRD_SCRATCH": str(workdir / "scratch"),
        "MGRD_CODE_COMMIT": os.environ.get("MGRD_CODE_COMMIT") or _commit(root),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path for path in paths if path)),
    }


def _commit(root: str) -> str:
    try:
        found = subprocess.run(
            ["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
        )
    except OSError:
        return ""
    return found.stdout.strip()


@contextmanager
def alone(workdir: Path) -> Iterator[None]:
    """Holds the folder for this process and says so; exits where another runner has it."""
    import psutil

    with (workdir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _LOGGER.warning("another runner is at work in %s", workdir)
            sys.exit(EXIT_BUSY)
        myself = {"pid": os.getpid(), "start_time": psutil.Process().create_time()}
        write_whole(workdir / PROCESS, json.dumps(myself))
        yield


def _plain(message: str) -> str:
    """kfp's message without its terminal colours."""
    for code in ("\x1b[91m", "\x1b[92m", "\x1b[95m", "\x1b[96m", "\x1b[0m"):
        message = message.replace(code, "")
    return message


def main() -> None:
    """Entry point; exits with 1 when the run failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", required=True, help="id of the run")
    parser.add_argument("--spec", required=True, type=Path, help="JSON file with the pipeline's parameters")
    parser.add_argument("--workdir", required=True, type=Path, help="folder of the run; kept for resuming")
    parser.add_argument("--template", type=Path, default=TEMPLATE, help="compiled pipeline")
    chosen = parser.parse_args()
    workdir = chosen.workdir.resolve()
    workdir.mkdir(parents=True, exist_ok=True)
    with alone(workdir):
        (workdir / OUTCOME).unlink(missing_ok=True)
        parameters = json.loads(chosen.spec.read_text())
        outcome = run(run_id=chosen.run, parameters=parameters, workdir=workdir, template=chosen.template)
        outcome.write(workdir)
    sys.exit(0 if outcome.succeeded else 1)


if __name__ == "__main__":
    main()
