"""A run of the whole pipeline through the orchestrator and kfp.local, with stages that take no time."""

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from mgrd.store import open_store
from mgrd.training.v1 import training_pb2 as pb
from services.kit.tables import KIT
from tests.integration.orchestrator_platform import Platform, as_, platform, restarted


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Platform]:
    with platform(tmp_path) as started:
        yield started


def create(running: Platform, **parameters: float) -> pb.Run:
    request = pb.CreateRunRequest(spec=pb.RunSpec(model="models/nano"), request_id=str(uuid.uuid4()))
    request.spec.parameters.update(parameters)
    return running.stub.CreateRun(request, timeout=10, metadata=as_("author")).run


def events(running: Platform) -> list[str]:
    with running.database.unit_of_work(read_only=True) as work:
        return [row.type for row in work.session.execute(select(KIT.outbox.c.type).order_by(KIT.outbox.c.seq))]


def test_a_run_goes_from_data_to_a_registered_candidate(running: Platform) -> None:
    run = create(running, iterations=1)
    done = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error
    assert [step.name for step in done.steps] == [
        "announce",
        "prepare",
        "evaluate-base",
        "distil-1",
        "finetune-1",
        "evaluate-distilled-1",
        "reinforce-1",
        "evaluate-reinforced-1",
        "register",
        "ask",
        "finish",
    ]
    assert {step.state for step in done.steps} == {pb.STEP_STATE_SUCCEEDED}
    assert (done.version, done.progress, done.creator) == ("models/nano/versions/1", 1.0, "ana")
    accuracy = {step.name: step.metrics["accuracy"] for step in done.steps if step.name.startswith("evaluate")}
    assert accuracy["evaluate-base"] < accuracy["evaluate-distilled-1"] < accuracy["evaluate-reinforced-1"]
    assert page_of(running, done, "evaluate-reinforced-1").count("<h3>") == len(reporting(done))
    assert running.registry.calls == [
        "CreateModel",
        "CreateVersion",
        "CreateEvaluation heldout",
        "Promote models/nano/aliases/candidate",
    ]
    assert events(running) == ["mgrd.checkpoint.produced.v1"] * 2 + ["mgrd.run.finished.v1"]


def reporting(run: pb.Run) -> list[str]:
    """The steps that left a report, of which each has its heading on the page."""
    return [step.name for step in run.steps if step.report_digest]


def page_of(running: Platform, run: pb.Run, name: str) -> str:
    """The run's page that this step made."""
    step = next(step for step in run.steps if step.name == name)
    store = open_store(running.environment["MGRD_STORE_URL"])
    return store.read_bytes(step.page_digest.removeprefix("sha256:")).decode()


def test_a_turn_that_gains_too_little_ends_the_loop(running: Platform) -> None:
    asked = {"cold_start_epochs": 1, "text_rl_steps": 1, "align_pairs": 4, "min_gain": 0.3}
    run = create(running, iterations=2, **asked)
    done = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED, timeout_s=300)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error
    names = [step.name for step in done.steps]
    grounded = names.index("evaluate-base") + 1
    assert names[grounded : grounded + 3] == ["cold-start", "text-rl", "distil-1"]
    assert names[names.index("gain-1") :] == ["gain-1", "align", "evaluate-aligned", "register", "ask", "finish"]
    steps = {step.name: step for step in done.steps}
    assert steps["gain-1"].message == (
        "gain +20.0% on development questions, not above +30.0%: the loop ends and turn 1 is kept"
    )
    learnt = steps["evaluate-aligned"].metrics["accuracy"] - steps["evaluate-base"].metrics["accuracy"]
    assert learnt == pytest.approx(0.1 * 5)
    assert not list(running.folder.rglob("work/point"))


def test_a_killed_runner_goes_on_after_its_last_finished_step(running: Platform) -> None:
    hold(running)
    run = create(running)
    held = running.watch_until(run.name, lambda seen: is_running(seen, "finetune-1"))
    os.killpg(int(held.external_id), signal.SIGKILL)
    release(running)
    done = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error
    assert running.calls().count("prepare") == running.calls().count("distil") == 1
    assert running.registry.calls.count("CreateVersion") == 1
    states = {step.name: step.state for step in done.steps}
    assert states["distil-1"] == pb.STEP_STATE_CACHED
    assert states["finetune-1"] == pb.STEP_STATE_SUCCEEDED
    assert next(step for step in done.steps if step.name == "finetune-1").attempt == 2


def test_a_runner_killed_without_its_steps_leaves_no_step_at_work(running: Platform) -> None:
    hold(running)
    run = create(running)
    held = running.watch_until(run.name, lambda seen: is_running(seen, "finetune-1"))
    os.kill(int(held.external_id), signal.SIGKILL)
    again = running.watch_until(run.name, lambda seen: seen.external_id != held.external_id)
    running.watch_until(again.name, lambda seen: attempt(seen, "finetune-1") == 2)
    assert not members_of_group(int(held.external_id))
    release(running)
    done = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error


def test_a_killed_orchestrator_adopts_its_runs(tmp_path: Path) -> None:
    with platform(tmp_path) as running:
        hold(running)
        run = create(running)
        held = running.watch_until(run.name, lambda seen: is_running(seen, "distil-1") or is_done(seen, "distil-1"))
        with restarted(running) as again:
            release(again)
            done = again.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error
    assert done.external_id == held.external_id
    assert running.calls().count("finetune") == 1


def test_a_cancelled_run_stops_and_can_be_resumed(running: Platform) -> None:
    hold(running)
    run = create(running)
    held = running.watch_until(run.name, lambda seen: is_running(seen, "finetune-1"))
    request = pb.CancelRunRequest(name=run.name, request_id=str(uuid.uuid4()))
    assert running.stub.CancelRun(request, timeout=10, metadata=as_("author")).run.state == pb.RUN_STATE_CANCELLING
    cancelled = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert cancelled.state == pb.RUN_STATE_CANCELLED
    assert not members_of_group(int(held.external_id))
    release(running)
    resume = pb.ResumeRunRequest(name=run.name, request_id=str(uuid.uuid4()))
    assert running.stub.ResumeRun(resume, timeout=10, metadata=as_("author")).run.state == pb.RUN_STATE_PENDING
    done = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error
    assert running.calls().count("distil") == 1
    assert events(running).count("mgrd.run.finished.v1") == 2


def test_a_bad_row_of_own_data_is_named_before_any_training(running: Platform) -> None:
    data = running.folder / "my.jsonl"
    data.write_text("no JSON here\n")
    request = pb.CreateRunRequest(spec=pb.RunSpec(model="models/nano", data=str(data)), request_id=str(uuid.uuid4()))
    run = running.stub.CreateRun(request, timeout=10, metadata=as_("author")).run
    failed = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert failed.state == pb.RUN_STATE_FAILED
    assert f"{data}:1: this row is not JSON" in failed.error
    assert running.calls() == ["prepare"]


def test_a_failure_of_the_data_is_told_by_its_step_alone_and_not_tried_again_until_resumed(running: Platform) -> None:
    running.environment["MGRD_FAKE_KEEPS_NOTHING"] = "1"
    run = create(running)
    failed = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert failed.state == pb.RUN_STATE_FAILED
    assert failed.error.startswith("step distil-1 failed: none of 8 chains was kept: ")
    steps = {step.name: step for step in failed.steps}
    assert (steps["distil-1"].attempt, steps["distil-1"].permanent, steps["distil-1"].metrics["kept"]) == (1, True, 0)
    assert (steps["finish"].state, steps["finish"].error) == (pb.STEP_STATE_SUCCEEDED, "")
    assert steps["finish"].message == "the run failed in distil-1"
    assert running.calls().count("distil") == 1
    del running.environment["MGRD_FAKE_KEEPS_NOTHING"]
    resume = pb.ResumeRunRequest(name=run.name, request_id=str(uuid.uuid4()))
    running.stub.ResumeRun(resume, timeout=10, metadata=as_("author"))
    done = running.watch_until(run.name, lambda seen: seen.state >= pb.RUN_STATE_SUCCEEDED)
    assert done.state == pb.RUN_STATE_SUCCEEDED, done.error
    assert running.calls().count("distil") == 2


def hold(running: Platform) -> None:
    running.environment["MGRD_FAKE_HOLD"] = str(running.folder / "go")


def release(running: Platform) -> None:
    (running.folder / "go").touch()


def is_running(run: pb.Run, name: str) -> bool:
    return any(step.name == name and step.state == pb.STEP_STATE_RUNNING for step in run.steps)


def is_done(run: pb.Run, name: str) -> bool:
    return any(step.name == name and step.state == pb.STEP_STATE_SUCCEEDED for step in run.steps)


def attempt(run: pb.Run, name: str) -> int:
    return next((step.attempt for step in run.steps if step.name == name), 0)


def members_of_group(group: int) -> list[int]:
    def is_member(pid: int) -> bool:
        try:
            return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (ProcessLookupError, psutil.Error):
            return False

    return [pid for pid in psutil.pids() if is_member(pid)]
