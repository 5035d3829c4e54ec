"""The committed template: fresh, and what the Kubeflow UI and the orchestrator read from it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compile import compile_template
from pipelines.plan import MAX_ITERATIONS, planned_steps
from pipelines.runners.local import TEMPLATE

ACTING = ("announce", "register", "compare", "ask", "promote")


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    with TEMPLATE.open() as file:
        return list(yaml.load_all(file, Loader=yaml.CSafeLoader))


def test_the_committed_template_is_fresh(tmp_path: Path) -> None:
    compile_template(tmp_path / "mgrd.yaml")
    fresh = (tmp_path / "mgrd.yaml").read_bytes() == TEMPLATE.read_bytes()
    assert fresh, "run `python -m pipelines.compile` and commit pipelines/compiled/mgrd.yaml"


def test_no_step_installs_anything(documents: list[dict[str, Any]]) -> None:
    assert "pip install" not in TEMPLATE.read_text()
    images = {executor["container"]["image"] for executor in executors(documents[0]).values()}
    assert len(images) == 1


def test_steps_that_change_the_world_are_never_taken_from_a_cache(documents: list[dict[str, Any]]) -> None:
    cached = {
        task["componentRef"]["name"].removeprefix("comp-").rstrip("-0123456789"): task["cachingOptions"]
        for task in tasks(documents[0])
    }
    assert not any(cached[name].get("enableCache") for name in (*ACTING, "finish"))
    learning = ("prepare", "evaluate", "ground", "distil", "finetune", "reinforce", "gain", "align")
    assert all(cached[name]["enableCache"] for name in learning)


def test_every_step_learns_its_run_and_the_platforms_addresses(documents: list[dict[str, Any]]) -> None:
    placed = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert placed.keys() == executors(documents[0]).keys()
    for settings in placed.values():
        assert settings["fieldPathAsEnv"][0]["name"] == "MGRD_KFP_RUN"
        addresses = {entry["envVar"] for entry in settings["configMapAsEnv"][0]["keyToEnv"]}
        assert {"MGRD_ORCHESTRATOR_ADDR", "MGRD_STORE_URL", "MGRD_TOKEN_FILE"} <= addresses
        assert not any("DATABASE" in address or "EVENTS" in address for address in addresses)


def test_every_step_gets_its_token_and_keys_and_what_it_needs(documents: list[dict[str, Any]]) -> None:
    for settings in documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        assert settings["secretAsVolume"][0]["secretName"] == "mgrd-steps"
        assert settings["secretAsVolume"][0]["mountPath"] == "/etc/mgrd/steps"
        variables = {entry["envVar"] for entry in settings["secretAsEnv"][0]["keyToEnv"]}
        assert variables == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    for executor in executors(documents[0]).values():
        assert {"resourceCpuRequest", "resourceMemoryRequest", "resourceMemoryLimit"} <= executor["container"][
            "resources"
        ].keys()


def test_what_is_reused_depends_on_the_weeks_key(documents: list[dict[str, Any]]) -> None:
    main = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    source = main["prepare"]["inputs"]["parameters"]["reuse_key"]["taskOutputParameter"]
    assert source == {"outputParameterKey": "reuse_key", "producerTask": "announce"}
    first = [name for name, task in main.items() if not task.get("dependentTasks")]
    assert first == ["announce"]


def test_only_steps_that_learn_or_evaluate_hold_an_accelerator(tmp_path: Path) -> None:
    compile_template(tmp_path / "mgrd.yaml", accelerator="nvidia.com/gpu")
    with (tmp_path / "mgrd.yaml").open() as file:
        document, platform = yaml.load_all(file, Loader=yaml.CSafeLoader)
    holding = {
        name.removeprefix("exec-").rstrip("-0123456789")
        for name, executor in executors(document).items()
        if "accelerator" in executor["container"]["resources"]
    }
    assert holding == {"prepare", "evaluate", "ground", "distil", "finetune", "reinforce", "gain", "align", "compare"}
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert placed["exec-distil"]["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_an_exit_handler_waits_for_everything(documents: list[dict[str, Any]]) -> None:
    finish = documents[0]["root"]["dag"]["tasks"]["finish"]
    assert finish["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"


@pytest.mark.parametrize("iterations", range(1, MAX_ITERATIONS + 1))
def test_the_plan_names_each_step_once(iterations: int) -> None:
    names = [step.name for step in planned_steps(iterations)]
    assert len(names) == len(set(names)) == 5 + 5 * iterations + (iterations if iterations > 1 else 0)
    assert names[:2] == ["announce", "prepare"]
    assert names[-2:] == ["register", "ask"]


def test_the_plan_has_the_stages_that_are_asked_for() -> None:
    asked = {"cold_start_epochs": 1, "text_rl_steps": 2.0, "align_pairs": 3, "rl_steps": 4}
    names = [step.name for step in planned_steps(1, asked)]
    assert names[3:6] == ["cold-start", "text-rl", "distil-1"]
    assert names[-4:] == ["align", "evaluate-aligned", "register", "ask"]
    assert [step.name for step in planned_steps(1, dict.fromkeys(asked, 0))] == [s.name for s in planned_steps(1)]


def test_resume_points_outlive_a_pod_where_there_is_a_volume(tmp_path: Path) -> None:
    compile_template(tmp_path / "mgrd.yaml", scratch_claim="scratch")
    with (tmp_path / "mgrd.yaml").open() as file:
        document, platform = yaml.load_all(file, Loader=yaml.CSafeLoader)
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mounted = {
        name.removeprefix("exec-").rstrip("-0123456789") for name, found in placed.items() if "pvcMount" in found
    }
    assert mounted == {"ground", "distil", "finetune", "reinforce", "align"}
    variables = {entry["name"] for entry in executors(document)["exec-distil"]["container"]["env"]}
    assert "MGRD_SCRATCH_VOLUME" in variables


def executors(document: dict[str, Any]) -> dict[str, Any]:
    return document["deploymentSpec"]["executors"]


def tasks(document: dict[str, Any]) -> list[dict[str, Any]]:
    dags = [document["root"]["dag"], *(c["dag"] for c in document["components"].values() if "dag" in c)]
    leaves = {name for name, component in document["components"].items() if "executorLabel" in component}
    return [task for dag in dags for task in dag["tasks"].values() if task["componentRef"]["name"] in leaves]
