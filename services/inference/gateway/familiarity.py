"""Is a clip unlike anything the model was trained on? A simple rule that says why, not a verdict.

A reply is marked out of domain when any of these holds:
1. the clip is shorter than 0.5 s or longer than 10 s; training clips last 1.5 to 4.3 s;
2. it has sound, yet of nine things one can hear of a clip (`HEARD`) at least seven cannot be measured: on training
   clips at most five abstain, on noise and babble seven;
3. the model itself was unsure: the tokens of its answer had a mean probability below 0.4.
A question without sound is never marked so. The rule errs to the side of marking too little.

An answer that is none of the choices given is marked beside: the choices stand in the prompt and bind nothing.
"""

import math
from collections.abc import Sequence

from services.inference.gateway.ports import Measured
from services.inference.triton.protocol import End

SHORTEST_S = 0.5
LONGEST_S = 10.0
HEARD = frozenset(
    (
        *("pitch_direction", "register", "loudness_direction", "rate", "tempo", "mode", "brightness"),
        *("event_count", "note_count"),
    )
)
ABSTAINED_SHARE = 0.75
UNSURE_PROBABILITY = 0.4
SILENT_DB = -50.0


def unfamiliar(measured: Measured | None, *, end: End) -> str:
    """Why the clip seems unlike the training clips; empty where it does not, or where there is no clip."""
    if measured is None:
        return ""
    if not SHORTEST_S <= measured.duration_s <= LONGEST_S:
        return f"the clip lasts {measured.duration_s:.2f} s; training clips last 1.5 to 4.3 s"
    heard = [descriptor for descriptor in measured.descriptors if descriptor.name in HEARD]
    abstained = sum(descriptor.abstained for descriptor in heard)
    if heard and abstained >= ABSTAINED_SHARE * len(heard) and not _silent(measured):
        return f"{abstained} of {len(heard)} things one can hear of a clip cannot be measured on this one"
    if end.answer_tokens and end.answer_logprob < math.log(UNSURE_PROBABILITY):
        return f"the model gave the tokens of its answer a mean probability of only {math.exp(end.answer_logprob):.2f}"
    return ""


def off_choices(answer: str, choices: Sequence[str]) -> str:
    """Why the answer is none to a question with choices; empty where it is one of them, or none were given."""
    if not choices or _plain(answer) in map(_plain, choices):
        return ""
    return "the answer is none of the choices given"


def _plain(words: str) -> str:
    return " ".join(words.casefold().strip(" .").split())


def _silent(measured: Measured) -> bool:
    """Silence is a thing the model knows; noise that is mere background to the measurements is not."""
    values = {descriptor.name: descriptor.value for descriptor in measured.descriptors}
    return values.get("silence") == "silent" and float(values.get("loudness") or -math.inf) < SILENT_DB
