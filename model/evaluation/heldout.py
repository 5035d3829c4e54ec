"""Evaluates a checkpoint on held-out questions: with thinking, without, and with the sound taken away.

Answers are drawn as in serving, at its temperature and from a fixed seed; "with thinking" means that
the model does think (`MIN_REASONING_TOKENS`), as it does there. Scores come from
the reference answers; claims are judged by measurements of the clip, never by the model.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from model.acoustics.verification import Evidence
from model.engine.engine import Engine
from model.engine.params import SamplingParams
from model.evaluation.claims import ClaimScore, score_claims
from model.evaluation.intervals import wilson
from model.learning.examples import Example
from model.learning.rewards import MIN_REASONING_TOKENS, RewardConfig
from model.learning.rollouts import Rollout, roll_out


@dataclass(frozen=True)
class Heldout:
    """What is asked, in the same order: with sound, with silence in its place, and without any."""

    heard: Sequence[Example]
    silent: Sequence[Example]
    text: Sequence[Example]
    measure: Callable[[int, str], list[Evidence]]
    """Evidence for a reasoning text about the clip of example i."""


@dataclass(frozen=True)
class Answers:
    """Rollouts of each condition, one a question."""

    think: list[Rollout]
    direct: list[Rollout]
    silent: list[Rollout]
    text: list[Rollout]
    claims: ClaimScore


def ask_all(
    engine: Engine, questions: Heldout, *, max_new_tokens: int, temperature: float = 0.0, seed: int = 0
) -> Answers:
    """Asks every question under every condition."""
    sampling = SamplingParams(
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
        min_think_tokens=MIN_REASONING_TOKENS,
    )
    think = _ask(engine, questions.heard, sampling, think=True)
    return Answers(
        think=think,
        direct=_ask(engine, questions.heard, sampling, think=False),
        silent=_ask(engine, questions.silent, sampling, think=True),
        text=_ask(engine, questions.text, sampling, think=True),
        claims=score_claims(questions.measure(i, rollout.reasoning) for i, rollout in enumerate(think)),
    )


def figures(answers: Answers) -> dict[str, float]:
    """The figures a gate and a table ask for; shares with their 95 % intervals."""
    contradictory = [r for r in answers.think if r.example.contradictory]
    found = {
        **_share("accuracy_think", answers.think),
        **_share("accuracy_direct", answers.direct),
        **_share("accuracy_silent", answers.silent),
        **_share("accuracy_contradictory", contradictory),
        "think_tokens": _mean(r.response.reasoning_tokens for r in answers.think),
        "unfinished": _mean(not r.finished for r in answers.think),
        "claims_supported": answers.claims.supported_share,
        "claims_checkable": answers.claims.checkable_share,
        "acoustic_chains": answers.claims.acoustic_share,
    }
    if answers.text:
        found |= _share("accuracy_text", answers.text)
    return found


def by_group(rollouts: Sequence[Rollout], key: Callable[[Example], str]) -> dict[str, dict[str, float]]:
    """Accuracy and count of each group of questions."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for rollout in rollouts:
        groups[key(rollout.example)].append(rollout.correct)
    return {name: {"accuracy": fmean(right), "questions": len(right)} for name, right in sorted(groups.items())}


def _ask(engine: Engine, examples: Sequence[Example], sampling: SamplingParams, *, think: bool) -> list[Rollout]:
    groups = roll_out(engine, examples, sampling, n=1, rewards=RewardConfig(), think=think)
    return [group[0] for group in groups]


def _share(name: str, rollouts: Sequence[Rollout]) -> dict[str, float]:
    right = sum(rollout.correct for rollout in rollouts)
    low, high = wilson(right, len(rollouts))
    share = right / len(rollouts) if rollouts else 0.0
    return {name: share, f"{name}_low": low, f"{name}_high": high}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else 0.0
