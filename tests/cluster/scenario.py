"""What is tried on the cluster: the main job, pods killed one by one, an upgrade and a rollback while clients ask."""

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from mgrd.cli.replies import Reply, collect
from mgrd.clients import Clients, FailedPreconditionError
from mgrd.clients.inference import Question, Sampling
from mgrd.clients.registry_values import Comparison, Gate, Requirement
from mgrd.clients.training import RunSpec, RunState
from tests.cluster.journal import Journal, until
from tests.cluster.kube import Release, run
from tests.support.sounds import tone

MODEL = "models/nano"
PRODUCTION = f"{MODEL}/aliases/production"
KILLED = ("orchestrator", "store", "postgres", "kafka", "registry", "features", "triton", "inference")
QUESTION = Question(MODEL, "is it low or high ?", audio=tone(), sampling=Sampling(max_new_tokens=12, temperature=0.0))
_RUN_WITHIN_S = 3600.0
_READY_WITHIN_S = 600.0


def main_job(people: Mapping[str, Clients], parameters: Mapping[str, float], journal: Journal, *, run_id: str) -> None:
    """From a run to a served answer, through the services of the cluster; a run of that id is followed, not begun."""
    ana, version = people["ana"], ""
    with journal.step("run of the pipeline") as notes:
        name = f"runs/{run_id}" if run_id else ana.training.create_run(RunSpec(MODEL, parameters=parameters)).name
        version = _ended(ana, name, notes)
        open_gate(people["olga"])
    release_version(people, version, journal)


def main_job_among_deaths(
    release: Release, people: Mapping[str, Clients], parameters: Mapping[str, float], journal: Journal
) -> None:
    """The main job once more, from other scenes, while every pod of the platform is killed in turn."""
    ana, version = people["ana"], ""
    name = ana.training.create_run(RunSpec(MODEL, parameters={**parameters, "seed": 2})).name
    kill_one_by_one(release, people, journal, under_way=name)
    with journal.step("the run under way meanwhile") as notes:
        version = _ended(ana, name, notes)
        made = [one.name for one in ana.registry.list_versions(MODEL) if any(step.run == name for step in one.lineage)]
        assert made == [version], f"registered {made}"
    release_version(people, version, journal)


def _moved_on(ana: Clients, name: str, *, since: float) -> float:
    """Progress of a run once it has gone on, or has ended."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while (found := ana.training.get_run(name)).progress <= since and not (found.state and found.state.ended):
        assert time.monotonic() < deadline_s, f"{name} stays at {since:.0%}"
        time.sleep(1.0)
    return found.progress


def _ended(ana: Clients, name: str, notes: list[str]) -> str:
    """The version a run made, once it has succeeded."""
    deadline_s = time.monotonic() + _RUN_WITHIN_S
    while not ((found := ana.training.get_run(name)).state and found.state.ended) and time.monotonic() < deadline_s:
        time.sleep(2.0)
    steps = ", ".join(f"{step.name} {step.state}" for step in found.steps)
    notes.append(
        f"{found.state} at {found.progress:.0%}, version {found.version or 'none'}; {steps}; {found.error[:300]}"
    )
    assert found.state is RunState.SUCCEEDED
    return found.version


def release_version(people: Mapping[str, Clients], version: str, journal: Journal) -> None:
    """The gate's dry run, an approval by somebody else, the promotion, the served answer."""
    ana = people["ana"]
    with journal.step("gate, approval, promotion") as notes:
        try:
            ana.registry.promote(PRODUCTION, version=version, validate_only=True)
        except FailedPreconditionError as refused:
            notes += [one.description for one in refused.violations]
        people["ben"].registry.create_approval(version, alias=PRODUCTION, comment="cluster test")
        moved = ana.registry.promote(PRODUCTION, version=version, reason="cluster test")
        notes.append(f"production points at {moved.promotion.version}")
    with journal.step("served answer") as notes:
        until(lambda: is_serving(ana, version), timeout_s=_READY_WITHIN_S, what="production is served")
        reply = ask(ana)
        notes.append(f"{reply.answer!r} by {reply.answerer.version if reply.answerer else 'nobody'}")


def open_gate(olga: Clients) -> None:
    """The small run of this test proves the way and not the science: its gate wants a measurement, of any height."""
    measured = Requirement("heldout", "accuracy", Comparison.AT_LEAST, 0.0)
    olga.registry.set_gate(PRODUCTION, gate=Gate((measured,), approvals=1, smoke_required=True))


def is_serving(clients: Clients, version: str) -> bool:
    found = clients.inference.get_deployment(MODEL)
    return bool(found.serving) and found.desired_version == version


def ask(clients: Clients) -> Reply:
    return collect(clients.inference.reason(QUESTION))


def kill_one_by_one(release: Release, people: Mapping[str, Clients], journal: Journal, *, under_way: str) -> None:
    """Each pod dies by SIGKILL; what was acknowledged before is there after, and production answers again."""
    ana, progress = people["ana"], 0.0
    acknowledged: list[str] = []
    for component in KILLED:
        with journal.step(f"kill {component}") as notes:
            progress = _moved_on(ana, under_way, since=progress)
            notes.append(f"the run at {progress:.0%}")
            acknowledged.append(ana.registry.create_model(f"before-{component}-{int(time.time())}").name)
            started_s = time.monotonic()
            for pod in release.pods(component):
                release.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")
            until(lambda one=component: release.is_ready(one), timeout_s=_READY_WITHIN_S, what=f"{component} is ready")
            notes.append(f"ready after {time.monotonic() - started_s:.1f} s")
            until(lambda: bool(ask(ana).answer is not None), timeout_s=_READY_WITHIN_S, what="production answers")
            notes.append(f"answers after {time.monotonic() - started_s:.1f} s")
            known = {model.name for model in ana.registry.list_models()}
            assert set(acknowledged) <= known, f"lost: {set(acknowledged) - known}"


@dataclass
class Asked:
    """What clients saw who went on asking."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def asking(clients: Clients) -> Iterator[Asked]:
    """Somebody asks production again and again within the block."""
    seen, stopping = Asked(), threading.Event()

    def go_on() -> None:
        while not stopping.is_set():
            try:
                ask(clients)
                seen.answered += 1
            except Exception as error:  # noqa: BLE001 - counted, and shown by the report
                seen.failed.append(f"{type(error).__name__}: {str(error)[:150]}")
            stopping.wait(0.2)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield seen
    finally:
        stopping.set()
        thread.join()


def change_while_asked(release: Release, ana: Clients, journal: Journal, *, name: str, change: tuple[str, ...]) -> None:
    """helm upgrade or rollback while a client asks: no failed request, and what was there is there, and goes on."""
    known = {model.name for model in ana.registry.list_models()}
    with journal.step(name) as notes, asking(ana) as seen:
        release.helm(*change)
        until(release.is_ready, timeout_s=_READY_WITHIN_S, what="all pods are ready")
        notes.append(f"{seen.answered} answered, {len(seen.failed)} failed {seen.failed[:2] or ''}")
        assert seen.answered
        assert not seen.failed
    with journal.step(f"data after {change[0]}") as notes:
        known.add(ana.registry.create_model(f"after-{change[0]}-{int(time.time())}").name)
        kept = {model.name for model in ana.registry.list_models()}
        notes.append(f"{len(kept)} models, one of them new")
        assert kept == known, f"differs by {kept ^ known}"


def back_up_and_restore(release: Release, people: Mapping[str, Clients], journal: Journal) -> None:
    """As the page for operators says; between the two the store is emptied, and what came after the backup goes."""
    ana = people["ana"]
    with tempfile.TemporaryDirectory() as folder:
        with journal.step("backup") as notes:
            saved = {model.name for model in ana.registry.list_models()}
            notes.append(_backup(release, "save", folder).split()[0])
        with journal.step("restore after the store was emptied") as notes:
            ana.registry.create_model(f"after-the-backup-{int(time.time())}")
            release.kubectl("exec", f"{release.name}-store-0", "--", "find", "/data", "-mindepth", "1", "-delete")
            _backup(release, "restore", folder)
            until(release.is_ready, timeout_s=_READY_WITHIN_S, what="all pods are ready")
            until(lambda: ask(ana).answer is not None, timeout_s=_READY_WITHIN_S, what="production answers")
            restored = {model.name for model in ana.registry.list_models()}
            assert restored == saved, f"differs by {restored ^ saved}"
            notes.append(f"{len(saved)} models as before; production answers")


def _backup(release: Release, verb: str, folder: str) -> str:
    return run([str(release.chart.parents[1] / "tools" / "backup.sh"), verb, release.namespace, release.name, folder])


def resident_mb(release: Release, component: str) -> float:
    """Memory of a component's processes, asked inside its first pod."""
    pod = release.pods(component)[0]["metadata"]["name"]
    script = (
        "import os,glob;me=str(os.getpid());"
        "print(sum(int(open(f).read().split()[1]) for f in glob.glob('/proc/[0-9]*/statm') if f.split('/')[2]!=me)"
        "*os.sysconf('SC_PAGE_SIZE'))"
    )
    return int(release.kubectl("exec", pod, "--", "python", "-c", script)) / 1e6
