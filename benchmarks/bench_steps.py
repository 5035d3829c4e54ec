"""What steps of the pipeline cost beside their stage, against an empty step of the same runner.

Ours are the step that announces a run, and a whole fine-tuning step with a stage that learns nothing: it fetches its
checkpoint from the store and verifies it, imports torch and the stages, keeps the result in the store; both report to
an orchestrator. Theirs is a component without a statement. All run by kfp.local in processes of their own, in turns;
seconds of wall time, medians of `ROUNDS`, the ratio is ours minus theirs, the spread the interquartile range of the
differences. Run with `python -m benchmarks.bench_steps`.
"""

# mypy: disable-error-code="untyped-decorator"
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench_startup import serving
from benchmarks.figures import Figure, show, spread
from mgrd.home import Home
from mgrd.platform.people import issue_tokens
from mgrd.platform.plans import HOST, allocate_ports, common_environment, platform_plans
from pipelines.parts import Components
from pipelines.steps import announcing, checkpoints
from pipelines.steps.surroundings import Surroundings

ROUNDS = 7
GOAL_S = 3.0
EMPTY = "empty"
STAGES = "benchmarks.empty_stages"


def run() -> list[Figure]:
    """A figure for each of our steps; the goal is for what it costs more than an empty one."""
    with tempfile.TemporaryDirectory() as folder, _orchestrator(Path(folder).resolve() / "platform") as environment:
        os.environ |= environment
        times_s = _interleaved(_pipelines(Path(folder)), folder)
    empty_s = times_s.pop(EMPTY)
    return [_figure(name, ours_s, empty_s) for name, ours_s in times_s.items()]


def _figure(name: str, ours_s: Sequence[float], empty_s: Sequence[float]) -> Figure:
    more_s = [ours - empty for ours, empty in zip(ours_s, empty_s, strict=True)]
    return {
        "name": f"{name}; an empty step",
        "ours": round(statistics.median(ours_s), 3),
        "theirs": round(statistics.median(empty_s), 3),
        "ratio": round(statistics.median(more_s), 3),
        "unit": "s",
        "spread": round(spread(more_s), 3),
        "goal": GOAL_S,
        "holds": statistics.median(more_s) <= GOAL_S,
    }


@contextmanager
def _orchestrator(root: Path) -> Iterator[dict[str, str]]:
    """An orchestrator by itself; what a step finds in its environment.

    Its Kubeflow does not answer, so that a run announced from there stays as it is.
    """
    home = Home(root)
    for needed in (home.databases, home.store):
        needed.mkdir(parents=True)
    issue_tokens(home)
    addresses = allocate_ports({}, keep=False)
    (plan,) = (one for one in platform_plans(home, addresses) if one.name == "orchestrator")
    environment = {**plan.environment, "MGRD_ORCHESTRATOR_KUBEFLOW_ADDR": f"http://{HOST}:9"}
    with serving(plan.command, environment=environment, address=plan.address):
        steps = {"MGRD_TOKEN_FILE": str(home.token_file("steps")), "MGRD_KFP_RUN": "bench"}
        yield {**common_environment(home, addresses), **steps}


def _interleaved(pipelines: Mapping[str, Callable[[], Any]], folder: str) -> dict[str, list[float]]:
    from kfp import local

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=f"{folder}/artifacts", raise_on_error=True)
    durations_s: dict[str, list[float]] = {name: [] for name in pipelines}
    for index in range(ROUNDS + 1):
        for name, pipeline in pipelines.items():
            started_s = time.monotonic()
            pipeline()
            if index:
                durations_s[name].append(time.monotonic() - started_s)
    return durations_s


def _pipelines(folder: Path) -> dict[str, Callable[[], Any]]:
    """Each of one step; that of fine-tuning has data to import first, which costs nothing here."""
    from kfp import dsl

    around, make = Surroundings.from_environment(), Components("unused")
    announced: dict[str, Any] = {"model": "nano", "base_version": "", "data": "", "parameters": {}}
    announcing.announce(**announced)
    base = checkpoints.keep(around, around.base_checkpoint)
    kept = folder / "kept"
    kept.mkdir()
    (kept / "kept.jsonl").touch()
    settings = {"seed": 1, "epochs": 1, "learning_rate": 1e-4, "trainer": "torch", "processes": 1, "turn": 1}

    @dsl.component(base_image="unused", install_kfp_package=False)
    def nothing() -> None:
        pass

    @dsl.pipeline
    def finetune() -> None:
        data = dsl.importer(artifact_uri=str(kept), artifact_class=dsl.Dataset)
        make.finetune(stages=STAGES, checkpoint=base, kept=data.output, **settings)

    return {
        EMPTY: nothing,
        "step that announces a run": lambda: make.announce(**announced),
        "fine-tuning step that learns nothing": finetune,
    }


if __name__ == "__main__":
    show(run())
