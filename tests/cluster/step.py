"""A pipeline step on its own, in a pod with what a step finds there: trains a stage and prints what came of it.

    python - STEP SETTINGS < tests/cluster/step.py

Needs the training image and nothing of tests/: it is handed to the pod as text.
"""

import json
import sys
from pathlib import Path

from model.distillation.stage_prepare import PrepareConfig, prepare
from pipelines.steps import checkpoints
from pipelines.steps.stages import DEFAULT_MODULE
from pipelines.steps.surroundings import Surroundings
from pipelines.steps.training import train_stage

SCENES = PrepareConfig(seed=3, train_scenes=64, heldout_scenes=4, text_questions=12)


def main(step: str, settings: str) -> None:
    """Fine-tunes the shipped base on a few scenes; prints the digest of its weights and its curve as JSON."""
    around = Surroundings.from_environment()
    data, report = around.folder("data"), around.folder("report") / "report.json"
    prepare(SCENES, data, lambda *_: None)
    digest = train_stage(
        around,
        step,
        stages=DEFAULT_MODULE,
        stage="finetune",
        config="SftConfig",
        settings=json.loads(settings),
        checkpoint=checkpoints.keep(around, around.base_checkpoint),
        data=data / "train.jsonl",
        metrics_path=str(report),
    )
    files = checkpoints.manifest_of_digest(around, digest).files
    (weights,) = (one.sha256 for one in files if Path(one.path).suffix == ".safetensors")
    found = json.loads(report.read_text())
    print("RESULT", json.dumps({"weights": weights, "curve": found["details"]["curve"]}))  # noqa: T201 - read from its log


if __name__ == "__main__":
    main(*sys.argv[1:])
