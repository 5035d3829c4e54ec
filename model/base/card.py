"""The base's card: how it was made, how well it hears, and how it argues before MGRD."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from model.base.inputs import inputs_digest
from model.base.train import BaseConfig
from model.distillation.clips import Dataset, encode_rows
from model.distillation.filtering import is_acoustic
from model.distillation.stage_evaluate import EvalConfig, evaluate
from model.distillation.stage_prepare import PrepareConfig, prepare
from model.distillation.workbench import MAX_NEW_TOKENS, open_checkpoint
from model.engine.params import SamplingParams
from model.learning.prompts import ELICITING_INSTRUCTION, INSTRUCTION
from model.learning.rewards import RewardConfig
from model.learning.rollouts import roll_out

HELDOUT_SCENES = 1200
_STYLE_QUESTIONS = 200
_GROUPS = ("by_kind_direct", "by_kind_think", "by_depth_direct", "by_depth_think")


def write_card(checkpoint: Path, config: BaseConfig, *, minutes: float) -> None:
    """Measures the checkpoint and writes card.json and CARD.md beside its folder."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        prepare(PrepareConfig(seed=90_001, train_scenes=4, heldout_scenes=HELDOUT_SCENES), data, _silent)
        report = evaluate(
            EvalConfig(),
            checkpoint=checkpoint,
            data=data / "heldout.jsonl",
            out=Path(folder) / "out",
            progress=_silent,
        )
        style = reasoning_style(checkpoint, data / "heldout.jsonl")
    card = {
        "command": f"python -m model.base --seed {config.seed} --steps {config.steps}",
        "training": asdict(config),
        "inputs": inputs_digest(config),
        "minutes": round(minutes, 1),
        "metrics": report.metrics,
        "reasoning_style": style,
        **{name: report.details[name] for name in _GROUPS},
    }
    (checkpoint.parent / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    (checkpoint.parent / "CARD.md").write_text(_page(card))


def reasoning_style(checkpoint: Path, data: Path) -> dict[str, float]:
    """Share of sampled chains that argue from sound, with and without the eliciting instruction."""
    bench = open_checkpoint(checkpoint, seed=1)
    dataset = Dataset(data)
    examples = encode_rows(bench.model, dataset, dataset.rows[:_STYLE_QUESTIONS])
    found: dict[str, float] = {}
    for name, instruction in (("elicited", ELICITING_INSTRUCTION), ("plain", INSTRUCTION)):
        asked = [example.instructed(instruction) for example in examples]
        sampling = SamplingParams(max_new_tokens=MAX_NEW_TOKENS, temperature=1.0, seed=1)
        groups = roll_out(bench.engine, asked, sampling, n=4, rewards=RewardConfig())
        chains = [rollout.reasoning for group in groups for rollout in group]
        found[f"acoustic_{name}"] = fmean(is_acoustic(chain) for chain in chains)
        found[f"thinks_{name}"] = fmean(bool(chain) for chain in chains)
    return found


def _silent(_fraction: float, _message: str, _metrics: object = None, /) -> None:
    """Nobody watches."""


def _page(card: dict[str, Any]) -> str:
    style = card["reasoning_style"]
    return "\n".join(
        [
            "# The nano base",
            "",
            "An audio-language model of about two million parameters, trained from nothing on the",
            "sound world of this repository: captions, transcripts, direct answers, and reasoning that",
            "mostly argues from the words. It is what MGRD starts from, not something to use.",
            "",
            f"- Made by `{card['command']}` in {card['minutes']} minutes on two shared CPU cores",
            f"- Inputs `{card['inputs']}`",
            "- Licence: Apache-2.0; sounds it was trained on: THIRD_PARTY_NOTICES.md",
            f"- Chains that argue from sound: {style['acoustic_elicited']:.1%} with the eliciting",
            f"  instruction, {style['acoustic_plain']:.1%} without it",
            "",
            f"Accuracy on {HELDOUT_SCENES} held-out scenes, where words say nothing about sound:",
            "",
            *_table(card, "by_depth", "Depth"),
            "",
            *_table(card, "by_kind", "Kind"),
            "",
        ]
    )


def _table(card: dict[str, Any], group: str, title: str) -> Sequence[str]:
    direct, think = card[f"{group}_direct"], card[f"{group}_think"]
    rows = [
        f"| {name} | {found['questions']} | {found['accuracy']:.3f} | {think[name]['accuracy']:.3f} |"
        for name, found in direct.items()
    ]
    return [f"| {title} | Questions | Direct | Thinking |", "|---|---|---|---|", *rows]
