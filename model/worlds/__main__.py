"""Write a set of clips and their questions.

    python -m model.worlds --split test --count 200 --seed 1 --out DIR

makes DIR/audio/*.wav and DIR/rows.jsonl: {id, audio, question, answer, choices, kind, depth,
domain, transcript}.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import numpy as np
import soundfile

from model.worlds.bank import RATE_HZ, Bank
from model.worlds.captions import transcript
from model.worlds.items import Item
from model.worlds.lexicon import SPLITS
from model.worlds.questions import questions
from model.worlds.rendering import render
from model.worlds.sampling import sample_scene
from model.worlds.scenes import Scene

logger = logging.getLogger(__name__)
BALANCED = 1 / 3


def row_of(item: Item, scene: Scene, audio: str) -> dict[str, object]:
    """One line of rows.jsonl."""
    asked = item.question
    return {
        "id": item.id,
        "audio": audio,
        "question": asked.text,
        "answer": asked.answer,
        "choices": list(asked.choices),
        "kind": asked.kind,
        "depth": asked.depth,
        "domain": scene.domain,
        "transcript": transcript(scene),
    }


def write_set(options: argparse.Namespace) -> int:
    """Clips with one question each; returns how many."""
    rng = np.random.default_rng(options.seed)
    bank = Bank.load(options.bank)
    (options.out / "audio").mkdir(parents=True, exist_ok=True)
    with (options.out / "rows.jsonl").open("w", encoding="utf-8") as rows:
        for _ in range(options.count):
            scene = sample_scene(rng, split=options.split, words_agree=options.words_agree)
            items = questions(scene, rng)
            item = items[int(rng.integers(len(items)))]
            audio = f"audio/{scene.id}.wav"
            soundfile.write(options.out / audio, render(scene, bank), RATE_HZ, subtype="PCM_16")
            rows.write(json.dumps(row_of(item, scene, audio)) + "\n")
    return int(options.count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bank", type=Path, default=None, help="folder of the bank")
    parser.add_argument(
        "--words-agree",
        type=float,
        default=BALANCED,
        help="share of speech whose words suit its manner (1/3: independent)",
    )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = parser.parse_args()
    logger.info("%d clips and questions in %s", write_set(options), options.out)


if __name__ == "__main__":
    main()
