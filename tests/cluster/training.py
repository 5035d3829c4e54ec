"""A training stage as a TrainJob of two pods beside the same stage in one process, and with a pod killed in its midst.

The step runs in a pod as a pipeline's step would, with the account, addresses and keys the chart lays out for one. It
needs Kubeflow Trainer in the cluster.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.launch.choice import train_job_name
from pipelines.launch.kubernetes_api import FIRST_POD
from tests.cluster.journal import Journal, until
from tests.cluster.kube import Release, run

NAMESPACE = "mgrd-pipelines"
VALUES = (
    *("--set", f"pipelines.namespaces={{{NAMESPACE}}}"),
    *("--set", "trainer.enabled=true", "--set", "trainer.work.accessMode=ReadWriteOnce"),
)
SETTINGS = {"epochs": 10, "batch_size": 8, "resume_every": 1}
TRAINERS = ("deepspeed-zero1", "deepspeed-zero3")
LOSS_WITHIN = 0.01
"""How far the loss of any step may be from that of one process: sums in another order, which Adam magnifies."""
_STEP = Path(__file__).with_name("step.py")
_WITHIN_S = 900.0
Found = dict[str, Any]


def train_on_pods(release: Release, journal: Journal) -> None:
    """One process, then for each trainer two pods, then two of which one dies."""
    if not _exists("crd", "trainjobs.trainer.kubeflow.org"):
        with journal.step("TrainJobs") as notes:
            notes.append("not tried: there is no Kubeflow Trainer in this cluster")
        return
    with journal.step("helm upgrade: a runtime for TrainJobs"):
        if not _exists("namespace", NAMESPACE):
            run(["kubectl", "create", "namespace", NAMESPACE])
        release.helm("upgrade", str(release.chart), "--reset-then-reuse-values", *VALUES)
        until(release.is_ready, timeout_s=_WITHIN_S, what="all pods are ready")
    steps = Release(release.name, NAMESPACE, release.chart)
    with journal.step("a stage in one process") as notes:
        alone = _trained(steps, "alone", trainer="torch", processes=1)
        notes.append(f"weights {alone['weights'][:12]}")
    for trainer in TRAINERS:
        _two_pods(steps, trainer, alone, journal)


def _two_pods(steps: Release, trainer: str, alone: Found, journal: Journal) -> None:
    name = trainer.removeprefix("deepspeed-")
    with journal.step(f"TrainJob of two pods, {trainer}") as notes:
        straight = _trained(steps, name, trainer=trainer, processes=2)
        losses, others = ([step["loss"] for step in one["curve"]] for one in (straight, alone))
        apart = max(abs(loss - other) for loss, other in zip(losses, others, strict=True))
        notes.append(f"weights {straight['weights'][:12]}; {len(losses)} steps, losses up to {max(losses):.3f}")
        notes.append(f"none further than {apart:.4f} from that of one process")
        assert apart <= LOSS_WITHIN, f"more than {LOSS_WITHIN}"
    with journal.step(f"TrainJob of two pods, {trainer}, one killed") as notes:
        killed = _trained(
            steps, f"{name}-killed", trainer=trainer, processes=2, meanwhile=lambda job: notes.append(_kill(steps, job))
        )
        notes.append(f"weights {killed['weights'][:12]}")
        assert killed == straight, "a death changed the result"


def _trained(
    steps: Release, step: str, *, trainer: str, processes: int, meanwhile: Callable[[str], None] | None = None
) -> Found:
    """What a step's pod printed at its end; `meanwhile` is told the name of its TrainJob."""
    settings = {**SETTINGS, "trainer": trainer, "processes": processes}
    pod = f"step-{step}"
    steps.kubectl("delete", "pod", pod, "--ignore-not-found", "--grace-period=0", "--force")
    run(["kubectl", "apply", "--filename", "-"], stdin=json.dumps(_pod(steps, pod, step, settings)))
    if meanwhile is not None:
        meanwhile(train_job_name("", step))
    deadline_s = time.monotonic() + _WITHIN_S
    while (phase := steps.kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}")) in ("Pending", "Running"):
        assert time.monotonic() < deadline_s, f"{pod} is {phase} after {_WITHIN_S:.0f} s"
        time.sleep(2.0)
    log = steps.kubectl("logs", pod)
    assert phase == "Succeeded", log[-600:]
    found: Found = json.loads(log.rpartition("RESULT ")[2])
    return found


def _kill(steps: Release, job: str) -> str:
    """Kills the second pod of a TrainJob once the stage has learnt something."""
    first = FIRST_POD.format(name=job)
    until(
        lambda: "loss" in steps.kubectl("logs", "--selector", first, "--tail=-1"), timeout_s=_WITHIN_S, what="it learns"
    )
    second = first.replace("index=0", "index=1")
    steps.kubectl("delete", "pod", "--selector", second, "--grace-period=0", "--force")
    return "the second pod killed while it learnt"


def _pod(steps: Release, name: str, step: str, settings: dict[str, Any]) -> Found:
    """As Kubeflow would start it: `pipelines/parts.py` says what a step is given."""
    image = steps.kubectl("get", "trainingruntime", "mgrd", "-o", "jsonpath={..containers[0].image}")
    folders = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "keys", "mountPath": "/etc/mgrd/steps", "readOnly": True}]
    keys = {"AWS_ACCESS_KEY_ID": "access-key-id", "AWS_SECRET_ACCESS_KEY": "secret-access-key"}
    container = {
        "name": "step",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", _STEP.read_text(), step, json.dumps(settings)],
        "envFrom": [{"configMapRef": {"name": "mgrd-platform"}}],
        "env": [
            {"name": "OMP_NUM_THREADS", "value": "1"},
            *(
                {"name": variable, "valueFrom": {"secretKeyRef": {"name": "mgrd-steps", "key": key}}}
                for variable, key in keys.items()
            ),
        ],
        "volumeMounts": folders,
    }
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": "mgrd-steps",
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "keys", "secret": {"secretName": "mgrd-steps"}}],
    }
    labels = {"pipelines.kubeflow.org/v2_component": "true"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": spec,
    }


def _exists(kind: str, name: str) -> bool:
    return bool(run(["kubectl", "get", kind, name, "--ignore-not-found"]))
