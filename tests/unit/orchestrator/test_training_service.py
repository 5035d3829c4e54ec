"""TrainingService over gRPC with real tokens, an executor that does as told, and a supervisor a test turns by hand."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from sqlalchemy import select

from mgrd.training.v1 import training_pb2 as pb
from mgrd.training.v1 import training_pb2_grpc as pb_grpc
from pipelines.runners.kubeflow import run_page
from pipelines.runners.local import TEMPLATE
from services.kit.auth import Caller, TokenTable
from services.kit.background import BackgroundThreads
from services.kit.database import Database
from services.kit.errors import InvalidArgument
from services.kit.migrations import migrate
from services.kit.server import in_process
from services.kit.tables import KIT
from services.orchestrator.adapters.template import TemplateCatalog
from services.orchestrator.changes import Changes
from services.orchestrator.domain import ExecutorKind
from services.orchestrator.policy import POLICY
from services.orchestrator.ports import Condition, ExecutorError, Handle, Job, Observation
from services.orchestrator.servicer import TrainingServicer
from services.orchestrator.specs import Rules, Wanted, checked_spec
from services.orchestrator.supervision import Supervisor

TOKENS = {
    "ana": Caller("ana", "person", frozenset({"author"})),
    "rob": Caller("rob", "person", frozenset({"reader"})),
    "steps": Caller("pipeline", "service", frozenset({"step"})),
}
KNOWN_DATA = "a" * 64


@dataclass
class ToldExecutor:
    """Sees of each run what the test has put down; runs it knows nothing of are lost."""

    seen: dict[str, Observation] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    broken: bool = False
    closed: bool = False

    def start(self, job: Job) -> Handle:
        if self.broken:
            raise ExecutorError("out of order")
        self.started.append(job.run_id)
        self.seen[job.run_id] = Observation(Condition.ACTIVE)
        return Handle(external_id=f"x-{job.run_id}")

    def look(self, job: Job) -> Observation:
        return self.seen.get(job.run_id, Observation(Condition.LOST))

    def cancel(self, job: Job) -> None:
        self.cancelled.append(job.run_id)
        self.seen[job.run_id] = Observation(Condition.LOST)

    def close(self) -> None:
        self.closed = True


class OneBlob:
    """A store that holds one artifact."""

    def exists(self, sha256: str) -> bool:
        return sha256 == KNOWN_DATA


@dataclass(frozen=True)
class Bench:
    stub: pb_grpc.TrainingServiceStub
    database: Database
    executor: ToldExecutor
    supervisor: Supervisor

    def create(self, who: str = "ana", **spec: object) -> pb.Run:
        return self.stub.CreateRun(create(**spec), timeout=5, metadata=as_(who)).run

    def get(self, name: str) -> pb.Run:
        return self.stub.GetRun(pb.GetRunRequest(name=name), timeout=5, metadata=as_("rob")).run

    def report(self, run: str, step: pb.Step, *, sequence: int = 0, **more: object) -> bool:
        request = pb.ReportStepRequest(run=run, step=step, sequence=sequence, request_id=str(uuid.uuid4()), **more)
        return self.stub.ReportStep(request, timeout=5, metadata=as_("steps")).cancel_requested

    def published(self) -> list[str]:
        with self.database.unit_of_work(read_only=True) as work:
            return list(work.session.execute(select(KIT.outbox.c.type).order_by(KIT.outbox.c.seq)).scalars())

    def audited(self) -> list[tuple[str, str]]:
        with self.database.unit_of_work(read_only=True) as work:
            found = work.session.execute(select(KIT.audit.c.action, KIT.audit.c.actor).order_by(KIT.audit.c.seq))
            return [(row.action, row.actor) for row in found]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """With the local executor alone."""
    yield from made(tmp_path, frozenset({ExecutorKind.LOCAL}))


@pytest.fixture
def kubeflow_bench(tmp_path: Path) -> Iterator[Bench]:
    """One that was told where Kubeflow is."""
    yield from made(tmp_path, frozenset(ExecutorKind))


def made(tmp_path: Path, kinds: frozenset[ExecutorKind]) -> Iterator[Bench]:
    url = f"sqlite:///{tmp_path / 'orchestrator.db'}"
    migrate(url, package="services.orchestrator")
    database, changes, executor = Database(url), Changes(), ToldExecutor()
    executors = {ExecutorKind.LOCAL: executor}
    rules = Rules(
        catalog=TemplateCatalog(TEMPLATE),
        store=OneBlob(),
        executors=kinds,
        default_executor=ExecutorKind.LOCAL,
        page_of=lambda external_id: run_page("http://kubeflow.example/", external_id),
    )
    servicer = TrainingServicer(database, rules=rules, changes=changes)
    server, port = in_process(
        register=lambda server: pb_grpc.add_TrainingServiceServicer_to_server(servicer, server),
        policy=POLICY,
        tokens=TokenTable.of(TOKENS),
    )
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = pb_grpc.TrainingServiceStub(channel)
        yield Bench(stub, database, executor, Supervisor(database, executors, changes=changes))
    server.stop(0).wait()
    database.close()


def as_(who: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {who}"),)


def create(
    *, request_id: str = "", run_id: str = "", validate_only: bool = False, **spec: object
) -> pb.CreateRunRequest:
    parameters = spec.pop("parameters", {})
    request = pb.CreateRunRequest(
        spec=pb.RunSpec(**{"model": "models/nano", **spec}),  # type: ignore[arg-type]
        request_id=request_id or str(uuid.uuid4()),
        run_id=run_id,
        validate_only=validate_only,
    )
    request.spec.parameters.update(parameters)  # type: ignore[arg-type]
    return request


def running(name: str, **more: object) -> pb.Step:
    return pb.Step(name=name, attempt=1, state=pb.STEP_STATE_RUNNING, **more)  # type: ignore[arg-type]


def refused(code: grpc.StatusCode) -> "pytest.RaisesExc[grpc.RpcError]":
    return pytest.RaisesExc(grpc.RpcError, check=lambda error: error.code() is code)


def test_a_repeated_request_makes_one_run(bench: Bench) -> None:
    request_id = str(uuid.uuid4())
    first, second = bench.create(request_id=request_id), bench.create(request_id=request_id)
    assert first == second
    assert bench.audited() == [("run.created", "ana")]


def test_a_dry_run_leaves_nothing_behind(bench: Bench) -> None:
    run = bench.create(validate_only=True, parameters={"iterations": 2})
    assert run.spec.parameters["iterations"] == 2
    with refused(grpc.StatusCode.NOT_FOUND):
        bench.get(run.name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"model": "nano"},
        {"model": "models/../x"},
        {"model": "models/" + "x" * 64},
        {"base_version": "models/nano"},
        {"data": "sha256:" + "b" * 64},
        {"data": "sha256:x"},
        {"data": "my.jsonl"},
        {"data": "/no/such/file.jsonl"},
        {"data": "/"},
        {"data": "/" + "x" * 5000},
        {"executor": pb.EXECUTOR_KUBEFLOW},
        {"executor": 99},
        {"parameters": {"iterations": 99}},
        {"parameters": {"no_such": 1}},
        {"parameters": {"iterations": float("nan")}},
        {"parameters": {"iterations": float("inf")}},
        {"run_id": "Not-A-Label"},
        {"request_id": "x"},
    ],
    ids=str,
)
def test_a_wrong_spec_is_refused_and_leaves_nothing_behind(bench: Bench, wrong: dict[str, object]) -> None:
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        bench.create(**wrong)
    assert bench.audited() == []


def test_stored_data_is_accepted(bench: Bench) -> None:
    assert bench.create(data="sha256:" + KNOWN_DATA).spec.data == "sha256:" + KNOWN_DATA


def test_only_callers_on_this_machine_name_its_files(bench: Bench, tmp_path: Path) -> None:
    table = tmp_path / "my.jsonl"
    table.write_text("{}")
    assert bench.create(data=str(table)).spec.data == str(table)
    rules = Rules(TemplateCatalog(TEMPLATE), OneBlob(), frozenset({ExecutorKind.LOCAL}), ExecutorKind.LOCAL)
    far = Wanted("nano", "", parameters={}, executor=None, data=str(table), is_from_here=False)
    with pytest.raises(InvalidArgument, match="callers on its machine"):
        checked_spec(far, rules)


def test_a_metric_that_is_no_number_is_left_out(bench: Bench) -> None:
    run = bench.create()
    bench.report(run.name, running("sft", metrics={"loss": float("nan"), "accuracy": 0.5, "norm": float("inf")}))
    assert dict(bench.get(run.name).steps[0].metrics) == {"accuracy": 0.5}


def test_an_id_is_taken_once(bench: Bench) -> None:
    bench.create(run_id="mine")
    with refused(grpc.StatusCode.ALREADY_EXISTS):
        bench.create(run_id="mine")


def test_readers_start_nothing_and_people_report_nothing(bench: Bench) -> None:
    with refused(grpc.StatusCode.PERMISSION_DENIED):
        bench.create("rob")
    request = pb.ReportStepRequest(run="runs/x", step=running("prepare"), request_id=str(uuid.uuid4()))
    with refused(grpc.StatusCode.PERMISSION_DENIED):
        bench.stub.ReportStep(request, timeout=5, metadata=as_("ana"))
    with refused(grpc.StatusCode.UNAUTHENTICATED):
        bench.stub.GetRun(pb.GetRunRequest(name="runs/x"), timeout=5)


def test_runs_are_listed_newest_first_page_by_page(bench: Bench) -> None:
    names = [bench.create(run_id=f"r{number}").name for number in range(5)]
    request = pb.ListRunsRequest(page_size=2)
    found: list[str] = []
    while True:
        page = bench.stub.ListRuns(request, timeout=5, metadata=as_("rob"))
        found += [run.name for run in page.runs]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == names[::-1]
    request = pb.ListRunsRequest(page_token=request.page_token, state=pb.RUN_STATE_FAILED)
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        bench.stub.ListRuns(request, timeout=5, metadata=as_("rob"))
    waiting = pb.ListRunsRequest(state=pb.RUN_STATE_SUCCEEDED)
    assert not bench.stub.ListRuns(waiting, timeout=5, metadata=as_("rob")).runs


def test_one_local_run_at_a_time_oldest_first(bench: Bench) -> None:
    first, second = bench.create(run_id="first"), bench.create(run_id="second")
    bench.supervisor.look_once()
    assert bench.executor.started == ["first"]
    bench.executor.seen["first"] = Observation(Condition.SUCCEEDED)
    bench.supervisor.look_once()
    bench.supervisor.look_once()
    assert bench.get(first.name).state == pb.RUN_STATE_SUCCEEDED
    assert bench.get(second.name).state == pb.RUN_STATE_RUNNING


def test_an_executor_out_of_order_is_tried_again(bench: Bench) -> None:
    run = bench.create()
    bench.executor.broken = True
    bench.supervisor.look_once()
    assert bench.get(run.name).state == pb.RUN_STATE_PENDING
    bench.executor.broken = False
    bench.supervisor.look_once()
    assert bench.get(run.name).state == pb.RUN_STATE_RUNNING


def test_a_run_that_keeps_dying_fails_in_the_end(bench: Bench) -> None:
    run = bench.create(run_id="dies")
    for _ in range(20):
        bench.supervisor.look_once()
        bench.executor.seen.clear()
    assert bench.get(run.name).state == pb.RUN_STATE_FAILED
    assert bench.executor.started == ["dies"] * 4
    assert "died 4 times in a row" in bench.get(run.name).error
    assert bench.published() == ["mgrd.run.finished.v1"]


def test_executors_are_closed_in_good_order_only(bench: Bench) -> None:
    bench.executor.broken = True
    bench.create()
    workers = BackgroundThreads([bench.supervisor])
    workers.start()
    assert not bench.executor.closed
    workers.stop(timeout_s=5)
    assert bench.executor.closed


def test_a_run_stopped_behind_our_back_is_cancelled_and_can_be_resumed(bench: Bench) -> None:
    run = bench.create(run_id="stopped")
    bench.supervisor.look_once()
    bench.executor.seen["stopped"] = Observation(Condition.CANCELLED)
    bench.supervisor.look_once()
    assert bench.get(run.name).state == pb.RUN_STATE_CANCELLED
    resume = pb.ResumeRunRequest(name=run.name, request_id=str(uuid.uuid4()))
    assert bench.stub.ResumeRun(resume, timeout=5, metadata=as_("ana")).run.state == pb.RUN_STATE_PENDING


def test_the_error_of_a_failed_run_is_its_steps(bench: Bench) -> None:
    run = bench.create(run_id="fails")
    bench.supervisor.look_once()
    bench.report(run.name, pb.Step(name="prepare", attempt=1, state=pb.STEP_STATE_FAILED, error="my.jsonl:3: no audio"))
    bench.executor.seen["fails"] = Observation(Condition.FAILED, error="Inner task failed")
    bench.supervisor.look_once()
    assert bench.get(run.name).error == "step prepare failed: my.jsonl:3: no audio"


def test_a_checkpoint_is_announced_once(bench: Bench) -> None:
    run = bench.create()
    bench.supervisor.look_once()
    done = pb.Step(name="finetune-1", attempt=1, state=pb.STEP_STATE_SUCCEEDED, checkpoint_digest="sha256:" + "c" * 64)
    bench.report(run.name, running("finetune-1", metrics={"loss": 0.5}))
    bench.report(run.name, done, sequence=1)
    bench.report(run.name, done, sequence=1)
    assert bench.published() == ["mgrd.checkpoint.produced.v1"]
    assert bench.get(run.name).steps[0].checkpoint_digest == done.checkpoint_digest


@pytest.mark.parametrize(
    "wrong",
    [
        {"step": pb.Step(name="prepare", attempt=1)},
        {"step": pb.Step(name="prepare", attempt=0, state=pb.STEP_STATE_RUNNING)},
        {"step": pb.Step(name="Pre Pare", attempt=1, state=pb.STEP_STATE_RUNNING)},
        {"step": running("prepare", progress=1.5)},
        {"step": running("prepare", progress=float("nan"))},
        {"step": running("prepare"), "sequence": -1},
        {"step": running("prepare"), "run": "r1"},
    ],
    ids=str,
)
def test_a_wrong_report_is_refused(bench: Bench, wrong: dict[str, object]) -> None:
    bench.create(run_id="r1")
    request = pb.ReportStepRequest(**{"run": "runs/r1", "request_id": str(uuid.uuid4()), **wrong})  # type: ignore[arg-type]
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        bench.stub.ReportStep(request, timeout=5, metadata=as_("steps"))


def test_cancelling_reaches_the_step_and_the_executor(bench: Bench) -> None:
    run = bench.create(run_id="stop")
    bench.supervisor.look_once()
    assert not bench.report(run.name, running("prepare"))
    cancel = pb.CancelRunRequest(name=run.name, request_id=str(uuid.uuid4()))
    assert bench.stub.CancelRun(cancel, timeout=5, metadata=as_("ana")).run.state == pb.RUN_STATE_CANCELLING
    assert bench.report(run.name, running("prepare"), sequence=1)
    bench.supervisor.look_once()
    assert bench.executor.cancelled == ["stop"]
    assert bench.get(run.name).state == pb.RUN_STATE_CANCELLED
    cancel.request_id = str(uuid.uuid4())
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        bench.stub.CancelRun(cancel, timeout=5, metadata=as_("ana"))


def test_only_a_failed_or_cancelled_run_is_resumed(bench: Bench) -> None:
    run = bench.create()
    resume = pb.ResumeRunRequest(name=run.name, request_id=str(uuid.uuid4()))
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        bench.stub.ResumeRun(resume, timeout=5, metadata=as_("ana"))


def test_a_run_of_the_kubeflow_ui_announces_itself_and_ends_by_its_exit_handler(kubeflow_bench: Bench) -> None:
    bench = kubeflow_bench
    known = pb.RunSpec(model="models/nano", executor=pb.EXECUTOR_KUBEFLOW)
    known.parameters.update({"iterations": 2.0})
    name = "runs/kfp-0a1b"
    bench.report(name, running("prepare"), external_id="0a1b", announce=known)
    run = bench.get(name)
    assert (run.state, run.external_id, run.spec.parameters["iterations"]) == (pb.RUN_STATE_RUNNING, "0a1b", 2)
    assert run.external_url == "http://kubeflow.example/#/runs/details/0a1b"
    bench.report(name, pb.Step(name="finish", attempt=1, state=pb.STEP_STATE_SUCCEEDED), external_id="0a1b")
    assert bench.get(name).state == pb.RUN_STATE_SUCCEEDED
    assert bench.published() == ["mgrd.run.finished.v1"]


@pytest.mark.parametrize(
    ("failing", "error", "message"),
    [
        ("distil-1", "step distil-1 failed: loss is NaN", "the run failed in distil-1"),
        ("", "Task exit-handler-1 failed.", "the run failed: Task exit-handler-1 failed."),
    ],
)
def test_the_exit_handler_names_the_step_that_failed_and_is_no_cause_itself(
    kubeflow_bench: Bench, failing: str, error: str, message: str
) -> None:
    bench = kubeflow_bench
    known, name = pb.RunSpec(model="models/nano", executor=pb.EXECUTOR_KUBEFLOW), "runs/kfp-0a1b"
    told = {"external_id": "0a1b", "announce": known}
    bench.report(name, pb.Step(name="announce", attempt=1, state=pb.STEP_STATE_SUCCEEDED), **told)
    if failing:
        failed = pb.Step(name=failing, attempt=1, state=pb.STEP_STATE_FAILED, error="loss is NaN", permanent=True)
        bench.report(name, failed, external_id="0a1b")
    last = pb.Step(name="finish", attempt=1, state=pb.STEP_STATE_FAILED, error="Task exit-handler-1 failed.")
    bench.report(name, last, external_id="0a1b")
    run = bench.get(name)
    assert (run.state, run.error) == (pb.RUN_STATE_FAILED, error)
    assert (run.steps[-1].state, run.steps[-1].message, run.steps[-1].error) == (pb.STEP_STATE_SUCCEEDED, message, "")
    assert [step.permanent for step in run.steps] == ([False, True, False] if failing else [False, False])


def test_a_run_of_a_kubeflow_the_orchestrator_was_not_told_of_is_refused(bench: Bench) -> None:
    known = pb.RunSpec(model="models/nano", executor=pb.EXECUTOR_KUBEFLOW)
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        bench.report("runs/kfp-0a1b", running("announce"), external_id="0a1b", announce=known)


def test_a_report_of_an_unknown_run_that_announces_nothing_is_refused(bench: Bench) -> None:
    with refused(grpc.StatusCode.NOT_FOUND):
        bench.report("runs/ghost", running("prepare"))


def test_watching_begins_with_what_is_and_ends_with_the_run(bench: Bench) -> None:
    run = bench.create(run_id="seen")
    watch = bench.stub.WatchRun(pb.WatchRunRequest(name=run.name), timeout=30, metadata=as_("rob"))
    assert next(watch).run.state == pb.RUN_STATE_PENDING
    bench.supervisor.look_once()
    assert next(watch).run.state == pb.RUN_STATE_RUNNING
    bench.report(run.name, running("prepare", progress=0.5, message="half"))
    assert next(watch).run.steps[0].message == "half"
    bench.executor.seen["seen"] = Observation(Condition.SUCCEEDED)
    bench.supervisor.look_once()
    assert [seen.run.state for seen in watch] == [pb.RUN_STATE_SUCCEEDED]


def test_watching_nothing_is_refused(bench: Bench) -> None:
    with refused(grpc.StatusCode.NOT_FOUND):
        next(bench.stub.WatchRun(pb.WatchRunRequest(name="runs/ghost"), timeout=5, metadata=as_("rob")))
