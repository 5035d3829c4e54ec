"""The MGRD pipeline: prepare → evaluate the base → T turns of (distil → finetune → evaluate → reinforce → evaluate)
→ register → ask, with an exit handler that reports how it ended.

Promises that parameters, defaults and limits ("1 to 3" in a description) stand here alone: the Kubeflow UI's form and
the orchestrator's checks both come from the compiled template. KFP has no loops that carry a value, so the turns are
unrolled up to `MAX_ITERATIONS` and the later ones are conditional. Leaves what a stage does to `pipelines.steps`.
"""

# ruff: noqa: E501 - KFP reads the description of a parameter as one line
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,operator,no-any-return"
from collections.abc import Callable
from functools import partial
from typing import Any

from kfp import dsl

from pipelines.parts import DEFAULT_IMAGE, Components, Task, build_release, build_turn, placed
from pipelines.plan import MAX_ITERATIONS
from pipelines.steps.stages import DEFAULT_MODULE


def build_pipeline(*, image: str = DEFAULT_IMAGE, stages: str = DEFAULT_MODULE) -> Any:
    """The pipeline for one image; `stages` names the module of the learning stages."""
    described = dsl.pipeline(
        name="mgrd",
        description="Teaches an audio-language model to reason over sound, and registers what came of it.",
    )
    return described(Graph(Components(image), stages=stages).mgrd)


class Graph:
    """The pipeline's steps for one set of components."""

    def __init__(self, make: Components, *, stages: str) -> None:
        self._make = make
        self._stages = stages
        self._turn = build_turn(make, stages=stages)
        self._release = build_release(make)

    def mgrd(
        self,
        model: str = "nano",
        base_version: str = "",
        data: str = "",
        iterations: int = 1,
        seed: int = 1,
        train_scenes: int = 1600,
        heldout_scenes: int = 240,
        questions: int = 800,
        candidates: int = 16,
        sft_epochs: int = 3,
        sft_learning_rate: float = 0.0005,
        rl_steps: int = 40,
        rl_prompts: int = 12,
        rl_samples: int = 16,
        rl_learning_rate: float = 0.00015,
        deployment_timeout_s: int = 300,
    ) -> None:
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
        finishing = placed(self._make.finish(), cached=False, retries=2)
        with dsl.ExitHandler(finishing, name="mgrd"):
            self._lay_out(
                origin={"model": model, "base_version": base_version, "data": data},
                scenes=scenes,
                learning=learning,
                iterations=iterations,
                deployment_timeout_s=deployment_timeout_s,
            )

    def _lay_out(
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
