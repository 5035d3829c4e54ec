"""Trains the shipped base and writes it with its card.

    python -m model.base --out assets/base/nano --work .cache/base

Killed, it goes on from its newest resume point when started again with the same settings.
"""

import argparse
import logging
import time
from dataclasses import replace
from pathlib import Path

from model.acoustics.frontend import FRONT_END_VERSION
from model.base.card import write_card
from model.base.inputs import inputs_digest
from model.base.train import BaseConfig, train_base
from model.network.checkpoint import save_checkpoint


def claim_folder(work: Path, inputs: str) -> None:
    """Marks `work` as this base's; one begun from other inputs would be resumed wrongly and is refused."""
    stamp = work / "inputs.txt"
    if stamp.exists() and stamp.read_text() != inputs:
        raise SystemExit(f"{work} holds a base begun from other inputs: remove it or choose another --work")
    work.mkdir(parents=True, exist_ok=True)
    stamp.write_text(inputs)


def main() -> None:
    """Parses, trains, saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("assets/base/nano"))
    parser.add_argument("--work", type=Path, default=Path(".cache/base"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=BaseConfig.steps)
    parser.add_argument("--scenes", type=int, default=BaseConfig.scenes)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = replace(BaseConfig(), seed=options.seed, steps=options.steps, scenes=options.scenes)
    claim_folder(options.work, inputs_digest(config))
    started = time.monotonic()
    model, tokenizer = train_base(config, options.work)
    save_checkpoint(options.out, model, tokenizer, front_end_version=FRONT_END_VERSION)
    write_card(options.out, config, minutes=(time.monotonic() - started) / 60)


if __name__ == "__main__":
    main()
