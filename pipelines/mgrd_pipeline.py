"""The MGRD pipeline: prepare → evaluate the base → T turns of (distil → finetune → evaluate → reinforce → evaluate)
→ register → ask, with an exit handler that reports how it ended.

Promises that parameters, defaults and limits ("1 to 3" in a description) stand here alone: the Kubeflow UI's form and
the orchestrator's checks both come from the compiled template. KFP has no loops that carry a value, so the turns are
unrolled up to `MAX_ITERATIONS` and the later ones are conditional. Leaves what a stage does to `pipelines.steps`.
"""

# ruff: noqa: ANN202, E501 - KFP reads signatures without outputs, and descriptions as one line each
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,operator,no-any-return"
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kfp import dsl, kubernetes

from pipelines import components
from pipelines.plan import MAX_ITERATIONS
from pipelines.steps.stages import DEFAULT_MODULE

DEFAULT_IMAGE = "mgrd-training-python:0.1.0"
PLATFORM_CONFIG = "mgrd-platform"
"""ConfigMap of a pipeline namespace that holds the platform's addresses."""
_ADDRESSES = (
    "MGRD_ORCHESTRATOR_ADDR",
    "MGRD_REGISTRY_ADDR",
    "MGRD_INFERENCE_ADDR",
    "MGRD_STORE_URL",
    "MGRD_TOKEN_FILE",
)
_RUN_LABEL = "metadata.labels['pipeline/runid']"

Task: TypeAlias = Any
"""A dsl.PipelineTask; kfp has no types."""


class Components:
    """The components, made from their bodies for one image."""

    def __init__(self, image: str) -> None:
        make = partial(dsl.component, base_image=image, install_kfp_package=False)
        self.prepare = make(components.prepare)
        self.evaluate = make(components.evaluate)
        self.distil = make(components.distil)
        self.finetune = make(components.finetune)
        self.reinforce = make(components.reinforce)
        self.register = make(components.register)
        self.ask = make(components.ask)
        self.finish = make(components.finish)


def placed(task: Task, *, cached: bool = True, retries: int = 1) -> Task:
    """The task with its retries, caching and the platform's addresses."""
    task.set_caching_options(cached)
    if retries:
        task.set_retry(num_retries=retries, backoff_duration="2s", backoff_factor=2.0)
    kubernetes.use_config_map_as_env(task, PLATFORM_CONFIG, {key: key for key in _ADDRESSES}, optional=True)
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
    ) -> NamedTuple("Turn", [("checkpoint", str), ("metrics", dict)]):
        common = {"stages": stages, "seed": seed, "turn": turn}
        distilled = make.distil(
            **common, questions=questions, candidates=candidates, checkpoint=checkpoint, dataset=dataset
        )
        tuned = make.finetune(
            **common,
            epochs=sft_epochs,
            learning_rate=sft_learning_rate,
            checkpoint=checkpoint,
            kept=distilled.outputs["kept"],
        )
        between = make.evaluate(**common, stage="distilled", checkpoint=tuned.outputs["Output"], dataset=dataset)
        reinforced = make.reinforce(
            **common,
            steps=rl_steps,
            prompts_per_step=rl_prompts,
            samples=rl_samples,
            learning_rate=rl_learning_rate,
            checkpoint=tuned.outputs["Output"],
            dataset=dataset,
        )
        trained = reinforced.after(between).outputs["Output"]
        last = make.evaluate(**common, stage="reinforced", checkpoint=trained, dataset=dataset)
        for task in (distilled, tuned, between, reinforced, last):
            placed(task)
        return NamedTuple("Turn", [("checkpoint", str), ("metrics", dict)])(trained, last.outputs["Output"])

    return mgrd_turn


def build_release(make: Components) -> Callable[..., Task]:
    """Registering and asking: what follows the last turn, whichever that is."""

    @dsl.pipeline(name="mgrd-release")
    def mgrd_release(
        model: str,
        checkpoint: str,
        base: str,
        turn: int,
        data_digest: str,
        metrics: dict,
        timeout_s: int,
        dataset: dsl.Input[dsl.Dataset],
    ):
        registered = make.register(
            model=model, checkpoint=checkpoint, base=base, turn=turn, data_digest=data_digest, metrics=metrics
        )
        placed(registered, cached=False, retries=2)
        asked = make.ask(model=model, version=registered.output, timeout_s=timeout_s, dataset=dataset)
        placed(asked, cached=False)

    return mgrd_release


def build_pipeline(*, image: str = DEFAULT_IMAGE, stages: str = DEFAULT_MODULE) -> Any:
    """The pipeline for one image; `stages` names the module of the learning stages."""
    make = Components(image)
    graph = Graph(make, stages=stages)

    @dsl.pipeline(
        name="mgrd",
        description="Teaches an audio-language model to reason over sound, and registers what came of it.",
    )
    def mgrd(
        model: str = "nano",
        base_version: str = "",
        data: str = "",
        iterations: int = 1,
        seed: int = 1,
        train_scenes: int = 480,
        heldout_scenes: int = 240,
        questions: int = 240,
        candidates: int = 16,
        sft_epochs: int = 3,
        sft_learning_rate: float = 0.0005,
        rl_steps: int = 40,
        rl_prompts: int = 8,
        rl_samples: int = 16,
        rl_learning_rate: float = 0.0003,
        deployment_timeout_s: int = 300,
    ):
        """The whole way of a model.

        Args:
            model: Model that the result is registered under: lower-case letters, digits and hyphens.
            base_version: Version to start from (models/MODEL/versions/N); empty means the shipped base.
            data: Own data, as a digest in the content store (sha256:...) of a folder with one JSONL file of rows audio, question, answer, choices; empty means the shipped world.
            iterations: Turns of distillation and reinforcement (1 to 3).
            seed: Seed of every random choice (0 to 2147483647).
            train_scenes: Scenes to learn from (8 to 100000).
            heldout_scenes: Scenes to be judged by (8 to 100000).
            questions: Questions put to the model while it distils itself (4 to 100000).
            candidates: Reasoning chains drawn for each question (1 to 64).
            sft_epochs: Passes over the kept chains (1 to 50).
            sft_learning_rate: Peak learning rate of fine-tuning (0.0000001 to 0.1).
            rl_steps: Steps of reinforcement learning (1 to 10000).
            rl_prompts: Questions in each of them (1 to 1024).
            rl_samples: Answers drawn for each question (2 to 64).
            rl_learning_rate: Peak learning rate of reinforcement learning (0.0000001 to 0.1).
            deployment_timeout_s: Seconds to wait until the candidate is served (1 to 86400).
        """
        learning = {
            "questions": questions,
            "candidates": candidates,
            "sft_epochs": sft_epochs,
            "sft_learning_rate": sft_learning_rate,
            "rl_steps": rl_steps,
            "rl_prompts": rl_prompts,
            "rl_samples": rl_samples,
            "rl_learning_rate": rl_learning_rate,
        }
        scenes = {"seed": seed, "train_scenes": train_scenes, "heldout_scenes": heldout_scenes}
        finishing = placed(make.finish(), cached=False, retries=2)
        with dsl.ExitHandler(finishing, name="mgrd"):
            graph.lay_out(
                origin={"model": model, "base_version": base_version, "data": data},
                scenes=scenes,
                learning=learning,
                iterations=iterations,
                deployment_timeout_s=deployment_timeout_s,
            )

    return mgrd


class Graph:
    """The pipeline's steps for one set of components."""

    def __init__(self, make: Components, *, stages: str) -> None:
        self._make = make
        self._stages = stages
        self._turn = build_turn(make, stages=stages)
        self._release = build_release(make)

    def lay_out(
        self,
        *,
        origin: dict[str, Any],
        scenes: dict[str, Any],
        learning: dict[str, Any],
        iterations: Any,
        deployment_timeout_s: Any,
    ) -> None:
        """Everything between the start and the exit handler. The values are KFP's channels, not yet values."""
        waiting = {"iterations": iterations, "deployment_timeout_s": deployment_timeout_s}
        prepared = self._make.prepare(
            stages=self._stages, **scenes, **origin, parameters={**scenes, **learning, **waiting}
        )
        placed(prepared, retries=0)  # its failures are wrong rows, which stay wrong
        dataset, base = prepared.outputs["dataset"], prepared.outputs["base"]
        measured = self._make.evaluate(
            stages=self._stages, seed=scenes["seed"], stage="base", turn=0, checkpoint=base, dataset=dataset
        )
        placed(measured)
        release_of = partial(
            self._release,
            model=origin["model"],
            base=base,
            data_digest=prepared.outputs["data_digest"],
            timeout_s=deployment_timeout_s,
            dataset=dataset,
        )
        turn_of = partial(self._turn, dataset=dataset, seed=scenes["seed"], **learning)
        unroll(turn_of, release_of, iterations=iterations, checkpoint=base, after=measured)


def unroll(
    turn_of: Callable[..., Task],
    release_of: Callable[..., Task],
    *,
    iterations: Any,
    checkpoint: Any,
    turn: int = 1,
    after: Task | None = None,
) -> None:
    """Turn `turn`, then the release if it was the last one asked for, else the next turn."""
    done = turn_of(turn=turn, checkpoint=checkpoint).set_display_name(f"turn {turn}")
    if after is not None:
        done.after(after)
    trained, metrics = done.outputs["checkpoint"], done.outputs["metrics"]
    if turn == MAX_ITERATIONS:
        release_of(checkpoint=trained, turn=turn, metrics=metrics)
        return
    with dsl.If(iterations == turn, name=f"after-turn-{turn}"):
        release_of(checkpoint=trained, turn=turn, metrics=metrics)
    with dsl.Else(name=f"from-turn-{turn + 1}"):
        unroll(turn_of, release_of, iterations=iterations, checkpoint=trained, turn=turn + 1)
