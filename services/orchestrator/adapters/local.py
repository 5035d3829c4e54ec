"""Runs of this machine: each a process group of its own that executes the pipeline with kfp.local.

Promises that a living process is adopted by whoever asks next, since the runner itself writes `process.json` (pid and
start time) under a lock; that two never work in one folder; and that a process id used anew by the system is not
mistaken. A process that ended without `outcome.json` is LOST: its run goes on from its cache.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from pipelines.runners.local import OUTCOME, PROCESS
from services.kit.processes import is_running
from services.orchestrator.ports import Condition, ExecutorError, Handle, Job, Observation

LOG = "run.log"
_ROOT = Path(__file__).parents[3]
_CLOSE_TIMEOUT_S = 3.0
_NOT_FOR_STEPS = ("MGRD_DATABASE_", "MGRD_EVENTS_", "MGRD_TOKENS_FILE", "MGRD_LISTEN", "MGRD_METRICS_LISTEN")
_log = logging.getLogger(__name__)


class LocalExecutor:
    """Executes runs below `folder`, one folder each."""

    def __init__(
        self, folder: Path, *, template: Path, environment: Mapping[str, str], kill_after_s: float = 10.0
    ) -> None:
        self._folder = folder
        self._template = template
        self._environment = environment
        self._kill_after_s = kill_after_s
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._kill_at_s: dict[str, float] = {}

    def start(self, job: Job) -> Handle:
        """Starts the runner, or adopts the one at work."""
        if (pid := self._living(job)) is None:
            pid = self._spawn(job)
        self._kill_at_s.pop(job.run_id, None)
        return Handle(external_id=str(pid), external_url=(self._folder / job.run_id / LOG).as_uri())

    def look(self, job: Job) -> Observation:
        """The outcome where there is one, else whether the process lives."""
        if self._living(job) is not None:
            return Observation(Condition.ACTIVE)
        outcome = self._read(job, OUTCOME)
        if outcome is None:
            self._end_orphans(job)
            return Observation(Condition.LOST)
        if outcome["succeeded"]:
            return Observation(Condition.SUCCEEDED)
        return Observation(Condition.FAILED, error=str(outcome["error"]))

    def cancel(self, job: Job) -> None:
        """Asks the process group to end; after a while it is killed."""
        pid = self._living(job)
        if pid is None:
            return
        kill_at_s = self._kill_at_s.get(job.run_id)
        if kill_at_s is None:
            self._kill_at_s[job.run_id] = time.monotonic() + self._kill_after_s
            _signal_group(pid, signal.SIGTERM)
        elif time.monotonic() >= kill_at_s:
            _signal_group(pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the runners this process started; their runs go on from their caches at the next start."""
        living = [child for child in self._children.values() if child.poll() is None]
        for child in living:
            _signal_group(child.pid, signal.SIGTERM)
        give_up_s = time.monotonic() + _CLOSE_TIMEOUT_S
        for child in living:
            try:
                child.wait(max(0.0, give_up_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child.pid, signal.SIGKILL)

    def _spawn(self, job: Job) -> int:
        folder = self._folder / job.run_id
        folder.mkdir(parents=True, exist_ok=True)
        self._end_orphans(job)
        (folder / OUTCOME).unlink(missing_ok=True)
        (folder / "spec.json").write_text(json.dumps(dict(job.arguments), sort_keys=True))
        command = [sys.executable, "-m", "pipelines.runners.local", "--run", job.run_id]
        command += ["--spec", str(folder / "spec.json"), "--workdir", str(folder), "--template", str(self._template)]
        try:
            with (folder / LOG).open("ab") as log:
                child = subprocess.Popen(
                    command,
                    cwd=_ROOT,
                    env={**_without_secrets(os.environ), **self._environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise ExecutorError(f"the runner of {job.run_id} does not start: {error}") from error
        self._children[job.run_id] = child
        return child.pid

    def _end_orphans(self, job: Job) -> None:
        """Kills steps whose runner died before them; they would write beside the new ones."""
        noted = self._read(job, PROCESS)
        if noted is None:
            return
        for process in psutil.process_iter():
            if _belongs(process, group=int(str(noted["pid"])), run_id=job.run_id):
                process.kill()
                process.wait(self._kill_after_s)

    def _living(self, job: Job) -> int | None:
        child = self._children.get(job.run_id)
        if child is not None:
            if child.poll() is None:
                return child.pid
            del self._children[job.run_id]
        noted = self._read(job, PROCESS)
        if noted is None:
            return None
        pid, start_time = int(str(noted["pid"])), float(str(noted["start_time"]))
        return pid if is_running(pid, start_time=start_time) else None

    def _read(self, job: Job, name: str) -> dict[str, object] | None:
        try:
            found: dict[str, object] = json.loads((self._folder / job.run_id / name).read_text())
        except FileNotFoundError:
            return None
        return found


def _belongs(process: psutil.Process, *, group: int, run_id: str) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.environ().get("MGRD_RUN") == run_id
    except (ProcessLookupError, psutil.Error):
        return False


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Steps hold no credentials of a database or a broker."""
    return {name: value for name, value in environment.items() if not name.startswith(_NOT_FOR_STEPS)}


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        _log.info("process group %d has ended by itself", pid)
