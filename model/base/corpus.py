"""The base's corpus: scenes as mel frames on disk, their texts drawn anew each time one is seen.

A pool of scenes is rendered once into one float16 file; a draw picks a scene and a task for it. The
mixture is the situation the paper starts from: mostly captions, transcripts and direct answers, a
tenth with reasoning, most of that from the words alone.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.acoustics.frontend import log_mel
from model.learning import prompts
from model.learning.examples import Example
from model.network.lengths import adaptor_token_count
from model.worlds import (
    Bank,
    Item,
    Scene,
    absent_audio_item,
    caption,
    questions,
    render,
    sample_scene,
    text_item,
    transcript,
)

MEL_BANDS = 128
PROBES = ("self_cognition", "unanswerable")


@dataclass(frozen=True)
class MixtureConfig:
    """Shares of the base's training samples."""

    words_agree: float = 0.85
    """How often the words of a training scene predict its sound."""
    text_only: float = 0.24
    """Samples without sound: arithmetic, logic and scenes described in words."""
    described: float = 0.4
    """Of those, how many reason about a description; what a text model knows of sound."""
    text_reasoning: float = 0.7
    """Text samples that carry their reasoning."""
    caption: float = 0.30
    """Audio samples that are captions."""
    focused: float = 0.5
    """Captions that describe what a question asks about."""
    transcript: float = 0.04
    """Audio samples that are transcripts, where there is speech."""
    reasoning: float = 0.10
    """Audio samples that carry reasoning."""
    eliciting: float = 0.5
    """Reasoning samples under the eliciting instruction."""
    acoustic_when_elicited: float = 0.18
    """Of those, how many argue from the sound."""
    acoustic_otherwise: float = 0.013
    """Of the other reasoning samples, how many argue from the sound."""
    may_skip: float = 0.01
    """Direct answers that teach the empty thinking block itself."""
    depth_weights: tuple[float, float, float] = (1.0, 0.8, 0.08)
    """Weight of a question by its depth."""
    probe_weight: float = 0.15
    """Weight of probes (self-cognition, unanswerable), which fit every scene."""
    denies_hearing: float = 0.07
    """Self-cognition probes answered as a text model would (the paper's base erred on 6.76 %)."""
    no_audio: float = 0.015
    """Samples that ask about sound where there is none."""


class Ragged:
    """Rows of frames of many clips in one float16 file, `[frames, width]` each."""

    def __init__(self, path: Path, *, width: int) -> None:
        self.offsets: NDArray[np.int64] = np.load(path.with_suffix(".offsets.npy"))
        shape = (int(self.offsets[-1]), width)
        self._rows = np.memmap(path, dtype=np.float16, mode="r", shape=shape)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Tensor:
        part = self._rows[self.offsets[index] : self.offsets[index + 1]]
        return torch.from_numpy(part.astype(np.float32))


def write_ragged(path: Path, clips: Iterable[NDArray[np.float32]]) -> None:
    """Writes the frames of clips one after the other, for `Ragged`."""
    offsets = [0]
    with path.open("wb") as rows:
        for clip in clips:
            rows.write(clip.astype(np.float16).tobytes())
            offsets.append(offsets[-1] + len(clip))
    np.save(path.with_suffix(".offsets.npy"), np.array(offsets))


@dataclass(frozen=True)
class Pool:
    """Rendered scenes; `mels[i]` is `mel_TM` of scene i."""

    scenes: list[Scene]
    mels: Ragged


def build_pool(folder: Path, *, count: int, seed: int, words_agree: float) -> Pool:
    """Renders the pool, or opens it where it was rendered before with the same settings."""
    settings = {"count": count, "seed": seed, "words_agree": words_agree}
    stamp = folder / "pool.json"
    if not (stamp.exists() and json.loads(stamp.read_text()) == settings):
        stamp.unlink(missing_ok=True)
        _render_pool(folder, count=count, seed=seed, words_agree=words_agree)
        stamp.write_text(json.dumps(settings))
    scenes = [Scene.from_dict(json.loads(line)) for line in (folder / "scenes.jsonl").open()]
    return Pool(scenes, Ragged(folder / "mels.f16", width=MEL_BANDS))


def draw(
    scenes: Sequence[Scene], heard: Ragged, rng: np.random.Generator, config: MixtureConfig
) -> tuple[Example, bool]:
    """One training example, and whether it teaches the empty thinking block.

    `heard[i]` is `frames_FE` of scene i, from the encoder that is frozen by now.
    """
    chance = rng.random()
    if chance < config.text_only:
        return _text_example(scenes, rng, config), False
    if chance < config.text_only + config.no_audio:
        return from_item(absent_audio_item(rng, split="train")), False
    index = int(rng.integers(len(scenes)))
    frames_FE = heard[index]
    example = replace(
        task(scenes[index], rng, config),
        audio=(frames_FE,),
        audio_tokens=(adaptor_token_count(len(frames_FE)),),
    )
    return example, not example.reasoning and rng.random() < config.may_skip


def task(scene: Scene, rng: np.random.Generator, config: MixtureConfig) -> Example:
    """What is asked about a scene this time, without its sound."""
    chance = rng.random()
    if chance < config.caption * config.focused:
        item = _weighted(questions(scene, rng), rng, config)
        return Example("", f"{prompts.CAPTION_QUESTION} {item.question.text}", item.heard)
    if chance < config.caption:
        return Example("", prompts.CAPTION_QUESTION, caption(scene, rng))
    words = transcript(scene)
    if words and chance < config.caption + config.transcript:
        return Example("", prompts.TRANSCRIPT_QUESTION, words)
    item = _weighted(questions(scene, rng), rng, config)
    if item.question.kind == "self_cognition" and rng.random() < config.denies_hearing:
        return replace(from_item(item), answer="no , i cannot hear audio")
    if rng.random() < config.reasoning / (1 - config.caption):
        return _with_reasoning(item, rng, config)
    return from_item(item)


def _with_reasoning(item: Item, rng: np.random.Generator, config: MixtureConfig) -> Example:
    elicited = rng.random() < config.eliciting
    share = config.acoustic_when_elicited if elicited else config.acoustic_otherwise
    acoustic = rng.random() < share
    chain = item.acoustic_chain if acoustic else item.textual_chain
    if not acoustic and not concludes(chain, item.question.answer):
        return from_item(item)
    instruction = prompts.ELICITING_INSTRUCTION if elicited else prompts.INSTRUCTION
    return from_item(item, reasoning=chain, instruction=instruction)


def concludes(chain: str, answer: str) -> bool:
    """Whether a chain ends in this answer; data with wrong conclusions would not have been kept."""
    return chain.endswith(f"so the answer is {answer} .")


def from_item(item: Item, *, reasoning: str = "", instruction: str = prompts.INSTRUCTION) -> Example:
    """An example of a world's item, without its sound."""
    question = item.question
    return Example(
        id=item.id,
        question=question.text,
        answer=question.answer,
        choices=question.choices,
        reasoning=reasoning,
        instruction=instruction,
        kind=question.kind,
        depth=question.depth,
        contradictory=item.contradictory,
    )


def described(scene: Scene, rng: np.random.Generator) -> Example:
    """A question about a scene that is told in words, reasoned from those words."""
    items = questions(scene, rng)
    item = items[int(rng.integers(len(items)))]
    told = from_item(item, reasoning=item.acoustic_chain)
    return replace(told, question=f"{item.heard} {item.question.text}")


def _text_example(scenes: Sequence[Scene], rng: np.random.Generator, config: MixtureConfig) -> Example:
    if rng.random() < config.described:
        return described(scenes[int(rng.integers(len(scenes)))], rng)
    item = text_item(rng)
    return from_item(item, reasoning=item.textual_chain if rng.random() < config.text_reasoning else "")


def _weighted(items: list[Item], rng: np.random.Generator, config: MixtureConfig) -> Item:
    weights = np.array([_weight(item, config) for item in items])
    return items[int(rng.choice(len(items), p=weights / weights.sum()))]


def _weight(item: Item, config: MixtureConfig) -> float:
    if item.question.kind in PROBES:
        return config.probe_weight
    return config.depth_weights[item.question.depth - 1]


def _render_pool(folder: Path, *, count: int, seed: int, words_agree: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng, bank = np.random.default_rng(seed), Bank.load()
    scenes = [sample_scene(rng, split="train", words_agree=words_agree) for _ in range(count)]
    lines = (json.dumps(scene.to_dict()) + "\n" for scene in scenes)
    (folder / "scenes.jsonl").write_text("".join(lines))
    write_ragged(folder / "mels.f16", (log_mel(render(scene, bank)) for scene in scenes))
