"""Stage evaluate: a checkpoint's figures on held-out scenes, with samples for people."""

from dataclasses import dataclass
from pathlib import Path

from model.acoustics.verification import Evidence
from model.distillation.clips import Dataset, encode_file, encode_rows
from model.distillation.progress import Progress, StageReport
from model.distillation.workbench import MAX_NEW_TOKENS, Workbench, open_checkpoint
from model.evaluation.claims import evidence_of
from model.evaluation.heldout import Answers, Heldout, ask_all, by_group, figures
from model.learning.examples import Example
from model.learning.rollouts import Rollout

_SAMPLES = 8


@dataclass(frozen=True)
class EvalConfig:
    """Bounds of an evaluation."""

    seed: int = 1
    max_new_tokens: int = MAX_NEW_TOKENS
    temperature: float = 0.7
    """That of serving; 0 takes the likeliest token."""


def evaluate(config: EvalConfig, *, checkpoint: Path, data: Path, out: Path, progress: Progress) -> StageReport:
    """Writes report.json into `out`."""
    bench = open_checkpoint(checkpoint, seed=config.seed)
    dataset = Dataset(data)
    progress(0.1, f"asking {len(dataset.rows)} held-out questions with and without thinking")
    questions = _questions(bench, dataset)
    answers = ask_all(
        bench.engine, questions, max_new_tokens=config.max_new_tokens, temperature=config.temperature, seed=config.seed
    )
    report = StageReport("evaluate", figures(answers), _details(answers, questions))
    out.mkdir(parents=True, exist_ok=True)
    report.write(out)
    progress(1.0, "measured on held-out scenes", report.metrics)
    return report


def _questions(bench: Workbench, dataset: Dataset) -> Heldout:
    rows = dataset.rows

    def measure(i: int, reasoning: str) -> list[Evidence]:
        clip = dataset.clip(rows[i])
        return evidence_of(reasoning, clip.descriptors) if clip is not None else []

    return Heldout(
        heard=encode_rows(bench.model, dataset, rows),
        silent=encode_rows(bench.model, dataset, rows, silent=True),
        text=encode_file(bench.model, dataset.path.parent / "heldout_text.jsonl"),
        measure=measure,
    )


def _details(answers: Answers, questions: Heldout) -> dict[str, object]:
    return {
        "by_kind_think": by_group(answers.think, _kind),
        "by_kind_direct": by_group(answers.direct, _kind),
        "by_depth_think": by_group(answers.think, lambda example: str(example.depth)),
        "by_depth_direct": by_group(answers.direct, lambda example: str(example.depth)),
        "samples": [_sample(i, rollout, questions) for i, rollout in enumerate(answers.think[:_SAMPLES])],
    }


def _kind(example: Example) -> str:
    return example.kind or "own"


def _sample(i: int, rollout: Rollout, questions: Heldout) -> dict[str, object]:
    evidence = questions.measure(i, rollout.reasoning)
    return {
        "id": rollout.example.id,
        "question": rollout.example.question,
        "reference": rollout.example.answer,
        "reasoning": rollout.reasoning,
        "answer": rollout.response.answer,
        "correct": rollout.correct,
        "evidence": [
            {"claim": e.claim.text, "verdict": str(e.verdict), "measured": e.measured, "unit": e.unit} for e in evidence
        ],
    }
