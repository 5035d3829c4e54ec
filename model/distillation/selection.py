"""Perception-grounded questions (paper section 4.2, step 1): those whose answer the sound decides.

A question is kept when its answer changes while the words stay: known exactly where the row carries
the answer after an edit of its sound, else found by asking the model with the clip and with silence
of the same length.
"""

from collections.abc import Sequence

from model.distillation.rows import Row
from model.engine.engine import Engine
from model.engine.params import SamplingParams
from model.learning.answers import normalise
from model.learning.examples import Example
from model.learning.rewards import RewardConfig
from model.learning.rollouts import roll_out

_PROBE = SamplingParams(max_new_tokens=12, temperature=0.0)


def changes_with_sound(row: Row) -> bool | None:
    """Whether the answer changes under an edit; None where no edit is known."""
    if row.counterfactual_answer is None:
        return None
    return normalise(row.counterfactual_answer) != normalise(row.answer)


def is_grounded(engine: Engine, rows: Sequence[Row], heard: Sequence[Example], silent: Sequence[Example]) -> list[bool]:
    """For each row, whether it is kept."""
    known = [changes_with_sound(row) for row in rows]
    unknown = [i for i, verdict in enumerate(known) if verdict is None]
    answers = [_answers(engine, [examples[i] for i in unknown]) for examples in (heard, silent)]
    probed = dict(zip(unknown, (a != b for a, b in zip(*answers, strict=True)), strict=True))
    return [verdict if verdict is not None else probed[i] for i, verdict in enumerate(known)]


def _answers(engine: Engine, examples: Sequence[Example]) -> list[tuple[str, ...]]:
    groups = roll_out(engine, examples, _PROBE, n=1, rewards=RewardConfig(), think=False)
    return [normalise(group[0].response.answer) for group in groups]
