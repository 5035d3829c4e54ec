"""What is said when nothing was kept: how many chains were drawn, what spoke against them, and what to do.

Leaves judging the chains to `filtering`.
"""

from collections.abc import Mapping
from typing import Any

from model.distillation.filtering import Rejection

_WHY = {
    Rejection.LEAK: "hold text that no model should learn from",
    Rejection.SELF_IMAGE: "deny hearing",
    Rejection.UNFINISHED: "do not come to an end",
    Rejection.TOO_SHORT: "are too short",
    Rejection.NOT_ACOUSTIC: "say nothing of the sound that can be measured",
    Rejection.CONTRADICTED: "contradict the measurements",
    Rejection.INCOHERENT: "do not conclude with the answer given, or repeat themselves",
    Rejection.WRONG_ANSWER: "lead to a wrong answer",
}
_REMEDY = (
    "raise `questions` and `candidates`; if that does not help, ask about what can be heard (pitch, loudness, tempo, "
    "number), and for answers the model reaches at times: `mgrd ask CLIP QUESTION` shows what it says"
)
_NOT_HEARD = (
    "the model answers them alike with the sound taken away; use questions whose answers differ from clip to clip"
)


class NothingKeptError(ValueError):
    """Self-distillation kept no chain, so there is nothing to learn from."""

    reason = "NOTHING_KEPT"
    permanent = True
    """The same data and the same seed give the same chains."""


def require_kept(report: Mapping[str, Any]) -> None:
    """NothingKeptError with the counts of reasons and the remedy, where the report of `distil` says so."""
    metrics = report["metrics"]
    if metrics["kept"]:
        return
    if not metrics.get("candidates"):
        raise NothingKeptError(f"no chain was drawn, since none of the questions hangs on the sound: {_NOT_HEARD}")
    reasons = report.get("details", {}).get("reasons", {})
    found = sorted((reason for reason in Rejection if reasons.get(reason)), key=lambda one: -reasons[one])
    counts = ", ".join(f"{reasons[reason]} {_WHY[reason]}" for reason in found)
    raise NothingKeptError(f"none of {metrics['candidates']:.0f} chains was kept: {counts}; {_REMEDY}")
