"""What every executor promises, tried with the local one and with Kubeflow's API."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kfp import compiler, dsl

from services.orchestrator.adapters.kubeflow import KubeflowExecutor
from services.orchestrator.adapters.local import LocalExecutor
from services.orchestrator.ports import Condition, Executor, ExecutorError, Handle, Job, Observation
from tests.integration.fake_kubeflow import fake_kubeflow

_RUN = "run-1"


@dataclass(frozen=True)
class Bench:
    """An executor, and how a test makes the run in it end or vanish."""

    executor: Executor
    succeed: Callable[[], None]
    fail: Callable[[], None]
    lose: Callable[[Handle], None]

    def job(self, handle: Handle | None = None) -> Job:
        return Job(run_id=_RUN, arguments={"folder": ""}, external_id=handle.external_id if handle else "")

    def look_until(self, handle: Handle, wanted: Condition) -> Observation:
        ends_at = time.monotonic() + 120
        while time.monotonic() < ends_at:
            seen = self.executor.look(self.job(handle))
            if seen.condition is wanted:
                return seen
            time.sleep(0.05)
        raise AssertionError(f"the run is {seen}, never {wanted}")


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def wait(folder: str):
    """Ends when the test says how."""
    import os
    import pathlib
    import time

    told = pathlib.Path(folder or os.environ["MGRD_TEST_FOLDER"])
    while not (told / "succeed").exists():
        if (told / "fail").exists():
            (told / "fail").unlink()
            raise RuntimeError("it was told to fail")
        time.sleep(0.02)


@dsl.pipeline(name="waiting")
def waiting(folder: str = ""):
    wait(folder=folder).set_caching_options(False)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "waiting.yaml"
    compiler.Compiler().compile(waiting, str(path))
    return path


@pytest.fixture(params=["local", "kubeflow"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Bench]:
    make = local_bench if request.param == "local" else kubeflow_bench
    yield from make(tmp_path, template)


def local_bench(folder: Path, template: Path) -> Iterator[Bench]:
    environment = {"MGRD_TEST_FOLDER": str(folder)}
    executor = LocalExecutor(folder / "runs", template=template, environment=environment, kill_after_s=1)
    yield Bench(
        executor,
        succeed=(folder / "succeed").touch,
        fail=(folder / "fail").touch,
        lose=lambda handle: os.killpg(int(handle.external_id), signal.SIGKILL),
    )
    executor.close()


def kubeflow_bench(folder: Path, template: Path) -> Iterator[Bench]:
    with fake_kubeflow() as server:
        executor = KubeflowExecutor.connect(
            server.address, template=template, ui="http://kubeflow.example", namespace=""
        )
        yield Bench(
            executor,
            succeed=lambda: server.set_state(_RUN, "SUCCEEDED"),
            fail=lambda: server.set_state(_RUN, "FAILED", "wait: it was told to fail"),
            lose=lambda handle: server.runs.pop(handle.external_id) and None,
        )


def test_a_run_that_was_never_started_is_lost(bench: Bench) -> None:
    assert bench.executor.look(bench.job()).condition is Condition.LOST


def test_a_run_is_started_once(bench: Bench) -> None:
    handle = bench.executor.start(bench.job())
    assert bench.executor.look(bench.job(handle)).condition is Condition.ACTIVE
    assert bench.executor.start(bench.job()) == handle
    assert bench.executor.start(bench.job(handle)) == handle


def test_a_run_that_ends_well_succeeded(bench: Bench) -> None:
    handle = bench.executor.start(bench.job())
    bench.succeed()
    bench.look_until(handle, Condition.SUCCEEDED)


def test_a_failed_run_says_why_and_can_go_on(bench: Bench) -> None:
    handle = bench.executor.start(bench.job())
    bench.fail()
    assert "wait" in bench.look_until(handle, Condition.FAILED).error
    again = bench.executor.start(bench.job(handle))
    assert bench.executor.look(bench.job(again)).condition is Condition.ACTIVE
    bench.succeed()
    bench.look_until(again, Condition.SUCCEEDED)


def test_a_cancelled_run_stops(bench: Bench) -> None:
    handle = bench.executor.start(bench.job())
    ends_at = time.monotonic() + 60
    while bench.executor.look(bench.job(handle)).condition is Condition.ACTIVE and time.monotonic() < ends_at:
        bench.executor.cancel(bench.job(handle))
        time.sleep(0.05)
    stopped = (Condition.FAILED, Condition.CANCELLED, Condition.LOST)
    assert bench.executor.look(bench.job(handle)).condition in stopped
    bench.executor.cancel(bench.job(handle))


def test_a_vanished_run_is_lost_and_can_be_started_anew(bench: Bench) -> None:
    handle = bench.executor.start(bench.job())
    bench.lose(handle)
    bench.look_until(handle, Condition.LOST)
    again = bench.executor.start(bench.job(handle))
    assert again != handle
    bench.succeed()
    bench.look_until(again, Condition.SUCCEEDED)


def test_another_process_id_of_the_same_number_is_not_mistaken(tmp_path: Path, template: Path) -> None:
    folder = tmp_path / _RUN
    folder.mkdir()
    (folder / "process.json").write_text(json.dumps({"pid": os.getpid(), "start_time": 1.0}))
    executor = LocalExecutor(tmp_path, template=template, environment={})
    job = Job(run_id=_RUN, arguments={}, external_id=str(os.getpid()))
    executor.cancel(job)
    assert executor.look(job).condition is Condition.LOST


def test_a_second_orchestrator_adopts_what_the_first_started(tmp_path: Path, template: Path) -> None:
    environment = {"MGRD_TEST_FOLDER": str(tmp_path)}
    first = LocalExecutor(tmp_path / "runs", template=template, environment=environment)
    job = Job(run_id=_RUN, arguments={})
    handle = first.start(job)
    wait_for(tmp_path / "runs" / _RUN / "process.json")
    second = LocalExecutor(tmp_path / "runs", template=template, environment=environment)
    assert second.start(job) == handle
    assert Path(handle.external_url.removeprefix("file://")).is_file()
    first.close()
    assert second.look(job).condition is Condition.LOST


def wait_for(path: Path) -> None:
    ends_at = time.monotonic() + 60
    while not path.exists() and time.monotonic() < ends_at:
        time.sleep(0.02)


def test_a_run_on_kubeflow_links_to_its_page(tmp_path: Path, template: Path) -> None:
    with fake_kubeflow() as server:
        executor = KubeflowExecutor.connect(
            server.address, template=template, ui="http://kubeflow.example/", namespace=""
        )
        handle = executor.start(Job(run_id=_RUN, arguments={"folder": "x"}))
    assert handle.external_url == f"http://kubeflow.example/#/runs/details/{handle.external_id}"
    created = server.runs[handle.external_id]
    assert created["runtime_config"]["parameters"] == {"folder": "x"}


def test_a_run_that_somebody_terminates_in_the_kubeflow_ui_is_cancelled(template: Path) -> None:
    with fake_kubeflow() as server:
        executor = KubeflowExecutor.connect(server.address, template=template, ui="", namespace="")
        handle = executor.start(Job(run_id=_RUN, arguments={"folder": "x"}))
        server.runs[handle.external_id]["state"] = "CANCELED"
        seen = executor.look(Job(run_id=_RUN, arguments={}, external_id=handle.external_id))
    assert seen == Observation(Condition.CANCELLED)


def test_kubeflow_that_does_not_answer_is_tried_again_later(template: Path) -> None:
    with fake_kubeflow() as server:
        address = server.address
    executor = KubeflowExecutor.connect(address, template=template, ui="", namespace="")
    with pytest.raises(ExecutorError, match="does not answer"):
        executor.start(Job(run_id=_RUN, arguments={}))
