"""A run of the whole pipeline through the orchestrator and kfp.local, with stages that take no time."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mgrd.training.v1 import training_pb2 as pb
from services.kit.tables import KIT
from tests.integration.orchestrator_platform import Platform, as_, platform


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
    assert running.registry.calls == [
        "CreateModel",
        "CreateVersion",
        "CreateEvaluation heldout",
        "Promote models/nano/aliases/candidate",
    ]
    assert events(running) == ["mgrd.checkpoint.produced.v1"] * 2 + ["mgrd.run.finished.v1"]
