"""What the base was trained on, as one digest: when it changes, the base is stale.

It covers behaviour, not source text: the bank's bytes, the front end, the network's shape, the
training settings, and a sample of what world and mixture produce from a fixed seed.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model.acoustics.frontend import FRONT_END_VERSION
from model.base.corpus import task
from model.base.train import BaseConfig, nano_tokenizer
from model.network.config import nano
from model.worlds import WORLD_VERSION, sample_scene, text_item, vocabulary

BANK_INDEX = Path(__file__).parents[2] / "assets" / "bank" / "index.json"
_SAMPLED_SCENES = 200


def inputs_digest(config: BaseConfig) -> str:
    """The digest, as "sha256:...", of everything the base depends on."""
    inputs = {
        "world": WORLD_VERSION,
        "bank": hashlib.sha256(BANK_INDEX.read_bytes()).hexdigest(),
        "front_end": FRONT_END_VERSION,
        "network": _network(),
        "vocabulary": vocabulary(),
        "training": asdict(config),
        "sample": _sample(config),
    }
    text = json.dumps(inputs, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _network() -> dict[str, Any]:
    config = nano(vocab_size=len(nano_tokenizer())).to_dict()
    return {name: config[name] for name in ("audio_config", "text_config", "adaptor_hidden_size")}


def _sample(config: BaseConfig) -> list[object]:
    rng = np.random.default_rng(config.seed)
    found: list[object] = []
    for _ in range(_SAMPLED_SCENES):
        scene = sample_scene(rng, split="train", words_agree=config.mixture.words_agree)
        example = task(scene, rng, config.mixture)
        found += [scene.to_dict(), example.question, example.reasoning, example.answer]
        found.append(text_item(rng).to_dict())
    return found
