"""Trains the audio encoder on frame labels, before and apart from the language model.

The paper's encoder came trained on speech and sound understanding and stayed frozen; ours learns what
sounds when from the scenes themselves, through linear heads that are thrown away afterwards.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from model.base.corpus import Pool
from model.base.labels import HEADS, IGNORED, frame_labels, stacked
from model.learning.trainer import OptimiserConfig, TorchTrainer
from model.network.audio_encoder import AudioEncoder

log = logging.getLogger(__name__)


class Listener(nn.Module):
    """An encoder with one linear head for each kind of label."""

    def __init__(self, encoder: AudioEncoder, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict({head: nn.Linear(width, size) for head, size in HEADS.items()})


def train_encoder(
    encoder: AudioEncoder, width: int, pool: Pool, optimiser: OptimiserConfig, *, batch_size: int, seed: int, work: Path
) -> None:
    """Trains the encoder in place, from the newest resume point in `work` if there is one."""
    listener = Listener(encoder, width).train()
    trainer = TorchTrainer(listener, optimiser)
    resume = work / "encoder.pt"
    if resume.exists():
        trainer.load(resume)
    while trainer.steps < optimiser.total_steps:
        rng = np.random.default_rng([seed, 1, trainer.steps + trainer.skipped])
        scenes = rng.integers(len(pool.scenes), size=batch_size).tolist()
        loss = trainer.step([_bound(listener, pool, scenes)])
        if trainer.steps % 50 == 0:
            log.info("encoder step %d loss %.3f", trainer.steps, loss)
        if trainer.steps % 200 == 0:
            trainer.save(resume)
    encoder.eval()


def _bound(listener: Listener, pool: Pool, scenes: list[int]) -> Callable[[], Tensor]:
    return lambda: listening_loss(listener, pool, scenes)


def listening_loss(listener: Listener, pool: Pool, scenes: list[int]) -> Tensor:
    """Mean over heads of the cross entropy on labelled frames."""
    frames = listener.encoder([pool.mels[index] for index in scenes])
    labels = [frame_labels(pool.scenes[index], len(clip)) for index, clip in zip(scenes, frames, strict=True)]
    frames_BFE = pad_sequence(frames, batch_first=True)
    losses = []
    for head, layer in listener.heads.items():
        truth_BF = torch.from_numpy(stacked(labels, head, width=frames_BFE.shape[1]))
        if bool((truth_BF != IGNORED).any()):
            logits_NC = layer(frames_BFE).flatten(0, 1).float()
            losses.append(nn.functional.cross_entropy(logits_NC, truth_BF.flatten(), ignore_index=IGNORED))
    return torch.stack(losses).mean()
