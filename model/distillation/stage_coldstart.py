"""Stage cold start: SFT on text reasoning, and on audio answers mostly without any (paper eq 1, sections 3.1 and 4.1).

Deviations: (1) the paper's audio data are transcripts, paralinguistics and questions with text answers; here they are
the run's training questions, answered behind an empty think block; (2) as there, a tenth of the audio rows reason, in
the model's own words: chains it samples under the usual instruction, kept where they are coherent and right, whatever
they argue from (the acoustic filter belongs to the loop); (3) dialogue is missing, since a run has none; (4) the mean
over tokens in place of the sum over samples (`learning.sft`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from model.distillation.clips import encode_file
from model.distillation.filtering import FilterConfig, rejection
from model.distillation.finetuning import LearnConfig, learn, stride
from model.distillation.progress import Progress, StageReport
from model.distillation.resuming import Pieces, ResumePoints, fingerprint
from model.distillation.workbench import MAX_NEW_TOKENS, Workbench, open_checkpoint
from model.engine.params import SamplingParams
from model.learning.examples import Example, training_row
from model.learning.rewards import RewardConfig
from model.learning.rollouts import roll_out

_ANY_ARGUMENT = FilterConfig(acoustic=False)


@dataclass(frozen=True)
class ColdStartConfig(LearnConfig):
    """Sizes of the cold start."""

    epochs: int = 1
    reasoning_share: float = 0.1
    """Audio rows that carry reasoning of the model's own, where it gave any; the paper's share."""
    candidates: int = 4
    """Chains drawn for each of them."""


def cold_start(
    config: ColdStartConfig, *, checkpoint: Path, data: Path, out: Path, progress: Progress, work: Path | None = None
) -> StageReport:
    """Trains on `data` (train.jsonl) and text.jsonl beside it, and writes a checkpoint folder; resumes from `work`."""
    bench = open_checkpoint(checkpoint, seed=config.seed)
    texts = data.parent / "text.jsonl"
    identity = fingerprint(config, checkpoint, data, texts)
    audio, reasoned = _audio_examples(bench, data, config, Pieces(work, identity=identity))
    text = encode_file(bench.model, texts)
    rows = [training_row(bench.tokenizer, example) for example in (*audio, *text)]
    points = ResumePoints(work, identity=identity, every=config.resume_every)
    report = learn(bench, rows, config, points=points, progress=progress, stage="cold_start")
    bench.save(out)
    shares = {"audio_rows": float(len(audio)), "audio_reasoned": float(reasoned), "text_rows": float(len(text))}
    return replace(report, metrics={**report.metrics, **shares})


def _audio_examples(bench: Workbench, data: Path, config: ColdStartConfig, pieces: Pieces) -> tuple[list[Example], int]:
    """Direct answers, some replaced by the model's own reasoning; and how many those are. No given chain is used."""
    direct = [replace(example, reasoning="") for example in encode_file(bench.model, data) if example.has_audio]
    every = stride(config.reasoning_share, among=len(direct))
    chosen = direct[::every]
    chains = pieces.get("reasoning")
    if chains is None:
        chains = _own_chains(bench, chosen, config)
        pieces.keep("reasoning", chains)
    reasoned = iter(chains)
    examples = [replace(e, reasoning=next(reasoned)) if i % every == 0 else e for i, e in enumerate(direct)]
    return examples, sum(map(bool, chains))


def _own_chains(bench: Workbench, examples: Sequence[Example], config: ColdStartConfig) -> list[str]:
    """A coherent chain to the right answer for each example, empty where the model gave none."""
    sampling = SamplingParams(max_new_tokens=MAX_NEW_TOKENS, temperature=1.0, seed=config.seed)
    groups = roll_out(bench.engine, examples, sampling, n=config.candidates, rewards=RewardConfig(), peers=bench.peers)
    return [
        next((one.reasoning for one in group if rejection(one, None, _ANY_ARGUMENT) is None), "") for group in groups
    ]
