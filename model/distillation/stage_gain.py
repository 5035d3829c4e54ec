"""Stage gain: what one turn of the loop brought, on development questions that nothing is reported on.

Both checkpoints think about the same questions with the same seeds; the gain is the mean of the paired differences of
being right, with its 95 % interval. The rule (paper section 4.2, step 6, whose T is not disclosed): the loop goes on
while the gain is above a stated threshold.
"""

from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, pvariance

from model.distillation.clips import encode_file
from model.distillation.progress import Progress, StageReport
from model.distillation.workbench import MAX_NEW_TOKENS, open_checkpoint
from model.engine.params import SamplingParams
from model.evaluation.intervals import Z_95
from model.learning.rewards import MIN_REASONING_TOKENS, RewardConfig
from model.learning.rollouts import roll_out


@dataclass(frozen=True)
class GainConfig:
    """How answers are drawn: as in serving."""

    seed: int = 1
    temperature: float = 0.7
    min_gain: float = 0.0
    """The loop goes on where the gain is above this."""


def measure_gain(config: GainConfig, *, before: Path, after: Path, data: Path, progress: Progress) -> StageReport:
    """Compares two checkpoints on `data` (dev.jsonl); metric "goes_on" is 1 where the gain is above the threshold."""
    right_before = _right(before, data, config)
    progress(0.5, f"{fmean(right_before):.1%} right before this turn")
    right_after = _right(after, data, config)
    differences = [int(new) - int(old) for old, new in zip(right_before, right_after, strict=True)]
    gain = fmean(differences)
    margin = Z_95 * sqrt(pvariance(differences) / len(differences))
    progress(1.0, f"gain {gain:+.1%} on {len(differences)} development questions")
    metrics = {
        "gain": gain,
        "gain_low": gain - margin,
        "gain_high": gain + margin,
        "accuracy_before": fmean(right_before),
        "accuracy_after": fmean(right_after),
        "questions": float(len(differences)),
        "min_gain": config.min_gain,
        "goes_on": float(gain > config.min_gain),
    }
    return StageReport("gain", metrics)


def _right(checkpoint: Path, data: Path, config: GainConfig) -> list[bool]:
    """Whether each question is answered rightly after thinking."""
    bench = open_checkpoint(checkpoint, seed=config.seed)
    sampling = SamplingParams(
        max_new_tokens=MAX_NEW_TOKENS,
        temperature=config.temperature,
        seed=config.seed,
        min_think_tokens=MIN_REASONING_TOKENS,
    )
    examples = encode_file(bench.model, data)
    return [group[0].correct for group in roll_out(bench.engine, examples, sampling, n=1, rewards=RewardConfig())]
