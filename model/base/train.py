"""Trains the nano base from nothing: first its ears, then its language; resumes after a kill to the same curve.

The encoder learns from frame labels and is frozen (`encoder.py`); its frames of the whole pool are
computed once, and adaptor and language model learn from those.

Samples are drawn in windows, each from its own seed, so that a resumed run sees what the first would
have seen. Batches of a window are of like length, to carry little padding.
"""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from model.base.corpus import MixtureConfig, Pool, Ragged, build_pool, draw, write_ragged
from model.base.encoder import train_encoder
from model.learning import prompts
from model.learning.batching import Batch, TokenSequence, collate, shuffled_batches
from model.learning.examples import training_row
from model.learning.sft import sft_loss
from model.learning.trainer import OptimiserConfig, TorchTrainer, use_available_cores
from model.network.audio_lm import AudioLanguageModel
from model.network.config import nano
from model.network.template import AUDIO_PATCH, token_id
from model.network.tokenizer import build_tokenizer
from model.worlds import vocabulary

log = logging.getLogger(__name__)

WINDOW = 8
_ENCODED_AT_ONCE = 32


@dataclass(frozen=True)
class BaseConfig:
    """Everything the base depends on."""

    seed: int = 0
    encoder_steps: int = 1000
    steps: int = 3000
    batch_size: int = 48
    scenes: int = 30_000
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    save_every: int = 200
    """Steps between resume points; a multiple of the window."""
    mixture: MixtureConfig = field(default_factory=MixtureConfig)


def nano_tokenizer() -> PreTrainedTokenizerFast:
    """Words of the world and of the prompts; numbers are spelt in digits, which it always knows."""
    words = {*vocabulary(), *prompts.prompt_words()}
    return build_tokenizer(sorted(word for word in words if not word.isdigit()))


def train_base(config: BaseConfig, work: Path) -> tuple[AudioLanguageModel, PreTrainedTokenizerFast]:
    """Trains to the end, from the newest resume point in `work` if there is one."""
    use_available_cores()
    torch.manual_seed(config.seed)
    tokenizer = nano_tokenizer()
    patch_id = token_id(tokenizer, AUDIO_PATCH)
    model = AudioLanguageModel(nano(vocab_size=len(tokenizer), audio_patch_token_id=patch_id))
    pool = _pool(config, work)
    heard = _heard(model, pool, config, work)
    trainer = TorchTrainer(model, _optimiser(config, steps=config.steps))
    resume = work / "resume.pt"
    if resume.exists():
        trainer.load(resume)
        log.info("resumed at step %d", trainer.steps)
    _train(model, trainer, _batches(tokenizer, pool, heard, config, first_window=trainer.steps // WINDOW), config, work)
    return model.eval(), tokenizer


def _heard(model: AudioLanguageModel, pool: Pool, config: BaseConfig, work: Path) -> Ragged:
    """Frames of every scene from the trained encoder, which is frozen from here on."""
    width = model.config.audio.hidden_size
    train_encoder(
        model.audio_encoder,
        width,
        pool,
        _optimiser(config, steps=config.encoder_steps),
        batch_size=config.batch_size,
        seed=config.seed,
        work=work,
    )
    model.audio_encoder.requires_grad_(requires_grad=False)
    path = work / "frames.f16"
    if not (work / "frames.offsets.npy").exists():
        write_ragged(path, _frames_of(model, pool))
    return Ragged(path, width=width)


@torch.no_grad()
def _frames_of(model: AudioLanguageModel, pool: Pool) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(pool.scenes), _ENCODED_AT_ONCE):
        mels = [pool.mels[i] for i in range(start, min(start + _ENCODED_AT_ONCE, len(pool.scenes)))]
        yield from (frames_FE.numpy() for frames_FE in model.encode_audio(mels))


def _train(
    model: AudioLanguageModel, trainer: TorchTrainer, batches: Iterator[Batch], config: BaseConfig, work: Path
) -> None:
    model.train()
    started, first = time.monotonic(), trainer.steps
    curve = (work / "curve.jsonl").open("a")
    for batch in batches:
        if trainer.steps >= config.steps:
            break
        loss = trainer.step([partial(sft_loss, model, batch)])
        curve.write(json.dumps({"step": trainer.steps, "loss": round(loss, 5)}) + "\n")
        if trainer.steps % 50 == 0:
            pace = (time.monotonic() - started) / (trainer.steps - first)
            log.info("step %d loss %.3f %.2f s/step", trainer.steps, loss, pace)
            curve.flush()
        if trainer.steps % config.save_every == 0:
            trainer.save(work / "resume.pt")
    curve.close()


def _batches(
    tokenizer: PreTrainedTokenizerFast, pool: Pool, heard: Ragged, config: BaseConfig, *, first_window: int
) -> Iterator[Batch]:
    window = first_window
    while True:
        rng = np.random.default_rng([config.seed, window])
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        rows = [_row(tokenizer, pool, heard, rng, config) for _ in range(WINDOW * config.batch_size)]
        lengths = [row.length for row in rows]
        for indices in shuffled_batches(len(rows), lengths=lengths, batch_size=config.batch_size, generator=generator):
            yield collate([rows[i] for i in indices], pad_id=tokenizer.pad_token_id)
        window += 1


def _row(
    tokenizer: PreTrainedTokenizerFast, pool: Pool, heard: Ragged, rng: np.random.Generator, config: BaseConfig
) -> TokenSequence:
    example, may_skip = draw(pool.scenes, heard, rng, config.mixture)
    return training_row(tokenizer, example, may_skip=may_skip)


def _optimiser(config: BaseConfig, *, steps: int) -> OptimiserConfig:
    return OptimiserConfig(
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps,
        total_steps=steps,
    )


def _pool(config: BaseConfig, work: Path) -> Pool:
    work.mkdir(parents=True, exist_ok=True)
    (work / "config.json").write_text(json.dumps(asdict(config), indent=2))
    return build_pool(
        work / "pool",
        count=config.scenes,
        seed=config.seed,
        words_agree=config.mixture.words_agree,
    )
