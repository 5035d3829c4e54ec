"""What the pipeline is put together from: the components, one turn of the loop, the release.

Promises that every task gets its retries, its caching, its resources and the platform's addresses and keys in one
place, `placed`, and that steps which wait hold no accelerator. Leaves the order of turns, and the parameters people
see, to `mgrd_pipeline`.
"""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,operator,no-any-return"
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kfp import dsl, kubernetes

from pipelines import components

DEFAULT_IMAGE = "localhost/mgrd-training:0.1.0"
PLATFORM_CONFIG = "mgrd-platform"
"""ConfigMap of a pipeline namespace that holds the platform's addresses."""
PLATFORM_KEYS = "mgrd-steps"
"""Secret of a pipeline namespace: the token of steps, which MGRD_TOKEN_FILE names, and their keys of the store."""
KEYS_FOLDER = "/etc/mgrd/steps"
_STORE_KEYS = {"access-key-id": "AWS_ACCESS_KEY_ID", "secret-access-key": "AWS_SECRET_ACCESS_KEY"}
ADDRESSES = (
    "MGRD_ORCHESTRATOR_ADDR",
    "MGRD_REGISTRY_ADDR",
    "MGRD_INFERENCE_ADDR",
    "MGRD_STORE_URL",
    "MGRD_TOKEN_FILE",
    *("MGRD_TLS_CA", "MGRD_TLS_CERT", "MGRD_TLS_KEY"),
    *("MGRD_JUDGE_URL", "MGRD_JUDGE_MODEL", "MGRD_JUDGE_KEY_FILE"),
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "MGRD_TRAINER_RUNTIME",
)
SCRATCH_MOUNT = "/scratch"
"""Where the volume for resume points is mounted, if there is one."""
_RUN_LABEL = "metadata.labels['pipeline/runid']"

Task: TypeAlias = Any
"""A dsl.PipelineTask; kfp has no types."""


@dataclass(frozen=True)
class Needs:
    """What a step is given."""

    cpu: str = "100m"
    memory: str = "512Mi"
    memory_limit: str = "2Gi"
    accelerator: str = ""
    """The resource's name, such as nvidia.com/gpu; one of it."""


LIGHT = Needs()


class Components:
    """The components, made from their bodies for one image, and what those that learn are given."""

    def __init__(self, image: str, *, scratch_claim: str = "", accelerator: str = "") -> None:
        self._scratch_claim = scratch_claim
        self.learning = Needs(cpu="1", memory="2Gi", memory_limit="16Gi", accelerator=accelerator)
        make = partial(dsl.component, base_image=image, install_kfp_package=False)
        self.announce = make(components.announce)
        self.prepare = make(components.prepare)
        self.evaluate = make(components.evaluate)
        self.distil = make(components.distil)
        self.finetune = make(components.finetune)
        self.reinforce = make(components.reinforce)
        self.ground = make(components.ground)
        self.gain = make(components.gain)
        self.align = make(components.align)
        self.register = make(components.register)
        self.compare = make(components.compare)
        self.ask = make(components.ask)
        self.promote = make(components.promote)
        self.finish = make(components.finish)

    def resumable(self, task: Task) -> Task:
        """The task as placed, with the volume on which its resume points outlive its pod, if there is one."""
        if self._scratch_claim:
            kubernetes.mount_pvc(task, pvc_name=self._scratch_claim, mount_path=SCRATCH_MOUNT)
            task.set_env_variable("MGRD_SCRATCH_VOLUME", SCRATCH_MOUNT)
        return placed(task, needs=self.learning)


def placed(task: Task, *, cached: bool = True, retries: int = 1, needs: Needs = LIGHT) -> Task:
    """The task with its retries, caching and resources, the platform's addresses and the steps' keys."""
    task.set_caching_options(cached)
    if retries:
        task.set_retry(num_retries=retries, backoff_duration="2s", backoff_factor=2.0)
    task.set_cpu_request(needs.cpu).set_memory_request(needs.memory).set_memory_limit(needs.memory_limit)
    if needs.accelerator:
        task.set_accelerator_type(needs.accelerator).set_accelerator_limit(1)
        kubernetes.add_toleration(task, key=needs.accelerator, operator="Exists", effect="NoSchedule")
    kubernetes.use_secret_as_volume(task, PLATFORM_KEYS, mount_path=KEYS_FOLDER, optional=True)
    kubernetes.use_secret_as_env(task, PLATFORM_KEYS, _STORE_KEYS, optional=True)
    kubernetes.use_config_map_as_env(task, PLATFORM_CONFIG, {key: key for key in ADDRESSES}, optional=True)
    kubernetes.use_field_path_as_env(task, env_name="MGRD_KFP_RUN", field_path=_RUN_LABEL)
    return task


def build_turn(make: Components, *, stages: str) -> Callable[..., Task]:
    """One turn of the loop as a pipeline of its own: a node of the graph that opens."""

    @dsl.pipeline(name="mgrd-turn")
    def mgrd_turn(
        turn: int,
        checkpoint: str,
        dataset: dsl.Input[dsl.Dataset],
        seed: int,
        questions: int,
        candidates: int,
        sft_epochs: int,
        sft_learning_rate: float,
        rl_steps: int,
        rl_prompts: int,
        rl_samples: int,
        rl_learning_rate: float,
        algorithm: str,
        trainer: str,
        processes: int,
    ) -> NamedTuple("Turn", [("checkpoint", str), ("metrics", dict)]):
        common = {"stages": stages, "seed": seed, "turn": turn}
        training = {**common, "trainer": trainer, "processes": processes}
        distilled = make.distil(
            **common, questions=questions, candidates=candidates, checkpoint=checkpoint, dataset=dataset
        )
        tuned = make.finetune(
            **training,
            epochs=sft_epochs,
            learning_rate=sft_learning_rate,
            checkpoint=checkpoint,
            kept=distilled.outputs["kept"],
        )
        between = make.evaluate(**common, stage="distilled", checkpoint=tuned.outputs["Output"], dataset=dataset)
        reinforced = make.reinforce(
            **training,
            steps=rl_steps,
            prompts_per_step=rl_prompts,
            samples=rl_samples,
            learning_rate=rl_learning_rate,
            algorithm=algorithm,
            checkpoint=tuned.outputs["Output"],
            dataset=dataset,
        )
        trained = reinforced.after(between).outputs["Output"]
        last = make.evaluate(**common, stage="reinforced", checkpoint=trained, dataset=dataset)
        for task in (distilled, tuned, reinforced):
            make.resumable(task)
        for task in (between, last):
            placed(task, needs=make.learning)
        return NamedTuple("Turn", [("checkpoint", str), ("metrics", dict)])(trained, last.outputs["Output"])

    return mgrd_turn


def build_release(make: Components, *, stages: str) -> Callable[..., Task]:
    """Aligning, registering, comparing, asking, and promoting where that is wanted: what follows the last turn."""

    @dsl.pipeline(name="mgrd-release")
    def mgrd_release(
        model: str,
        checkpoint: str,
        base: str,
        base_metrics: dict,
        turn: int,
        data_digest: str,
        metrics: dict,
        seed: int,
        align_pairs: int,
        timeout_s: int,
        promote_to: str,
        approval_timeout_s: int,
        dataset: dsl.Input[dsl.Dataset],
    ) -> None:
        aligned = make.align(
            stages=stages,
            seed=seed,
            pairs=align_pairs,
            turn=turn,
            checkpoint=checkpoint,
            metrics=metrics,
            dataset=dataset,
        )
        make.resumable(aligned)
        registered = make.register(
            model=model,
            checkpoint=aligned.outputs["checkpoint"],
            base=base,
            step=aligned.outputs["step"],
            data_digest=data_digest,
            metrics=aligned.outputs["metrics"],
        )
        placed(registered, cached=False, retries=2)
        compared = make.compare(
            stages=stages,
            seed=seed,
            version=registered.output,
            alias=promote_to,
            base=base,
            base_metrics=base_metrics,
            data_digest=data_digest,
            dataset=dataset,
        )
        placed(compared, cached=False, needs=make.learning)
        asked = make.ask(model=model, version=registered.output, timeout_s=timeout_s, dataset=dataset)
        placed(asked.after(compared), cached=False)
        with dsl.If(promote_to != "", name="to-be-promoted"):
            promoted = make.promote(
                model=model,
                version=registered.output,
                alias=promote_to,
                approval_timeout_s=approval_timeout_s,
                timeout_s=timeout_s,
                dataset=dataset,
            )
            placed(promoted.after(asked), cached=False)

    return mgrd_release
