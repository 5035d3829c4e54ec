"""The MGRD pipeline: announce → prepare → evaluate the base → ground (cold start, text reinforcement) → turns of (distil →
finetune → evaluate → reinforce → evaluate → judge the gain) → align → register → ask, with an exit handler that reports
how it ended.

Promises that parameters, defaults and limits ("1 to 3" in a description) stand here alone: the Kubeflow UI's form and
the orchestrator's checks both come from the compiled template. KFP has no loops that carry a value, so the turns are
unrolled up to `MAX_ITERATIONS`, each behind the word of the one before. Stages that nobody asks for hand on what they
were given. Leaves what a stage does to `pipelines.steps`.
"""

# ruff: noqa: E501 - KFP reads the description of a parameter as one line
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg,valid-type,operator,no-any-return"
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kfp import dsl

from pipelines.parts import DEFAULT_IMAGE, Components, Task, build_release, build_turn, placed
from pipelines.plan import MAX_ITERATIONS, ON
from pipelines.steps.stages import DEFAULT_MODULE


def build_pipeline(
    *, image: str = DEFAULT_IMAGE, stages: str = DEFAULT_MODULE, scratch_claim: str = "", accelerator: str = ""
) -> Any:
    """The pipeline for one image; `stages` names the module of the learning stages.

    `scratch_claim` names a volume claim of the pipelines' namespace, on which a stage's resume points outlive its pod;
    `accelerator` the resource that a step which learns or evaluates gets one of.
    """
    described = dsl.pipeline(
        name="mgrd",
        description="Teaches an audio-language model to reason over sound, and registers what came of it.",
    )
    make = Components(image, scratch_claim=scratch_claim, accelerator=accelerator)
    return described(Graph(make, stages=stages).mgrd)


class Graph:
    """The pipeline's steps for one set of components."""

    def __init__(self, make: Components, *, stages: str) -> None:
        self._make = make
        self._stages = stages
        self._turn = build_turn(make, stages=stages)
        self._release = build_release(make, stages=stages)

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
        algorithm: str = "ppo",
        trainer: str = "torch",
        processes: int = 1,
        min_gain: float = 0.0,
        cold_start_epochs: int = 0,
        text_rl_steps: int = 0,
        align_pairs: int = 0,
        deployment_timeout_s: int = 300,
        promote_to: str = "",
        approval_timeout_s: int = 86400,
    ) -> None:
        """The whole way of a model.

        Args:
            model: Model that the result is registered under: lower-case letters, digits and hyphens.
            base_version: Version to start from (models/MODEL/versions/N); empty means the shipped base.
            data: Own data, as a digest in the content store (sha256:...) of a folder with one JSONL file of rows audio, question, answer, choices; empty means the shipped world.
            iterations: Turns of distillation and reinforcement, at most (1 to 3).
            seed: Seed of every random choice (0 to 2147483647).
            train_scenes: Scenes to learn from (8 to 100000).
            heldout_scenes: Scenes to be judged by, and as many others to decide by (8 to 100000).
            questions: Questions put to the model while it distils itself (4 to 100000).
            candidates: Reasoning chains drawn for each question (1 to 64).
            sft_epochs: Passes over the kept chains (1 to 50).
            sft_learning_rate: Peak learning rate of fine-tuning (0.0000001 to 0.1).
            rl_steps: Steps of reinforcement learning (1 to 10000).
            rl_prompts: Questions in each of them (1 to 1024).
            rl_samples: Answers drawn for each question (2 to 64).
            rl_learning_rate: Peak learning rate of reinforcement learning (0.0000001 to 0.1).
            algorithm: How rewards become steps: one of ppo, grpo, rloo, dapo.
            trainer: What trains in the loop: one of torch, deepspeed-zero1, deepspeed-zero2, deepspeed-zero3.
            processes: Processes that train together, each a pod where the cluster has Kubeflow Trainer; more than one needs a deepspeed trainer (1 to 64).
            min_gain: With several turns, accuracy on development scenes that a turn must add for the next to follow (-1 to 1).
            cold_start_epochs: Passes over direct answers and text reasoning before the loop; 0 leaves them out, as the shipped base has had its cold start (0 to 50).
            text_rl_steps: Steps of reinforcement on text questions before the loop; 0 leaves them out (0 to 10000).
            align_pairs: Preference pairs that teach the model whether it hears, after the loop; 0 leaves them out (0 to 100000).
            deployment_timeout_s: Seconds to wait until the candidate is served (1 to 86400).
            promote_to: Alias to promote the result to, such as production; one that asks for approvals is waited for. Empty leaves it the candidate.
            approval_timeout_s: Seconds to wait until people have approved and promoted it (1 to 2592000).
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
            "algorithm": algorithm,
            "trainer": trainer,
            "processes": processes,
        }
        beside = {
            "min_gain": min_gain,
            "cold_start_epochs": cold_start_epochs,
            "text_rl_steps": text_rl_steps,
            "align_pairs": align_pairs,
        }
        scenes = {"seed": seed, "train_scenes": train_scenes, "heldout_scenes": heldout_scenes}
        finishing = placed(self._make.finish(), cached=False, retries=2)
        with dsl.ExitHandler(finishing, name="mgrd"):
            self._lay_out(
                origin={"model": model, "base_version": base_version, "data": data},
                scenes=scenes,
                learning=learning,
                beside=beside,
                iterations=iterations,
                release={
                    "deployment_timeout_s": deployment_timeout_s,
                    "promote_to": promote_to,
                    "approval_timeout_s": approval_timeout_s,
                },
            )

    def _lay_out(
        self,
        *,
        origin: dict[str, Any],
        scenes: dict[str, Any],
        learning: dict[str, Any],
        beside: dict[str, Any],
        iterations: Any,
        release: dict[str, Any],
    ) -> None:
        """Everything between the start and the exit handler. The values are KFP's channels, not yet values."""
        parameters = {**scenes, **learning, **beside, **release, "iterations": iterations}
        announced = placed(self._make.announce(**origin, parameters=parameters), cached=False, retries=2)
        prepared = self._make.prepare(
            stages=self._stages,
            **scenes,
            base_version=origin["base_version"],
            data=origin["data"],
            reuse_key=announced.outputs["reuse_key"],
        )
        placed(prepared, retries=0, needs=self._make.learning)  # its failures are wrong rows, which stay wrong
        common = {"stages": self._stages, "seed": scenes["seed"], "dataset": prepared.outputs["dataset"]}
        base = prepared.outputs["base"]
        measured = placed(
            self._make.evaluate(**common, stage="base", turn=0, checkpoint=base), needs=self._make.learning
        )
        started = self._make.ground(
            **common,
            checkpoint=base,
            cold_start_epochs=beside["cold_start_epochs"],
            text_rl_steps=beside["text_rl_steps"],
            algorithm=learning["algorithm"],
        )
        loop = Loop(
            turn_of=partial(self._turn, dataset=common["dataset"], seed=common["seed"], **learning),
            judge_of=partial(self._judge, **common, min_gain=beside["min_gain"], iterations=iterations),
            release_of=partial(
                self._release,
                model=origin["model"],
                base=base,
                base_metrics=measured.outputs["Output"],
                data_digest=prepared.outputs["data_digest"],
                seed=common["seed"],
                align_pairs=beside["align_pairs"],
                timeout_s=release["deployment_timeout_s"],
                promote_to=release["promote_to"],
                approval_timeout_s=release["approval_timeout_s"],
                dataset=common["dataset"],
            ),
            iterations=iterations,
        )
        loop.unroll(checkpoint=self._make.resumable(started.after(measured)).output, metrics=measured.outputs["Output"])

    def _judge(self, **given: Any) -> Task:
        return placed(self._make.gain(**given), needs=self._make.learning)


@dataclass(frozen=True)
class Loop:
    """The turns, each behind the word of the one before."""

    turn_of: Callable[..., Task]
    judge_of: Callable[..., Task]
    release_of: Callable[..., Task]
    iterations: Any

    def unroll(self, *, checkpoint: Any, metrics: Any, turn: int = 1) -> None:
        """Turn `turn` from this checkpoint, with its evaluation, and what follows it. A single turn is not judged."""
        done = self.turn_of(turn=turn, checkpoint=checkpoint).set_display_name(f"turn {turn}")
        after = {"checkpoint": done.outputs["checkpoint"], "metrics": done.outputs["metrics"]}
        if turn > 1:
            self._judged(checkpoint, metrics, after, turn=turn)
            return
        with dsl.If(self.iterations == 1, name="one-turn"):
            self.release_of(**after, turn=turn)
        with dsl.Else(name="several-turns"):
            self._judged(checkpoint, metrics, after, turn=turn)

    def _judged(self, checkpoint: Any, metrics: Any, after: dict[str, Any], *, turn: int) -> None:
        judged = self.judge_of(
            turn=turn,
            before=checkpoint,
            before_metrics=metrics,
            after=after["checkpoint"],
            after_metrics=after["metrics"],
        )
        kept = {name: judged.outputs[name] for name in ("checkpoint", "metrics", "turn")}
        if turn == MAX_ITERATIONS:
            self.release_of(**kept)
            return
        with dsl.If(judged.outputs["word"] == ON, name=f"from-turn-{turn + 1}"):
            self.unroll(checkpoint=kept["checkpoint"], metrics=kept["metrics"], turn=turn + 1)
        with dsl.Else(name=f"after-turn-{turn}"):
            self.release_of(**kept)
