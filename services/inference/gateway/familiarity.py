"""Is a clip unlike anything the model was trained on? A simple rule that says why, not a verdict.

A reply is marked out of domain when any of these holds:
1. the clip is shorter than 0.2 s or longer than 30 s; training clips lie in between;
2. it has sound, yet nearly nothing in it can be measured: at least 80 % of the descriptors abstain;
3. the model itself was unsure: the tokens of its answer had a mean probability below 0.4.
A question without sound is never marked. The rule errs to the side of marking too little.
"""

import math

from services.inference.gateway.ports import Measured
from services.inference.triton.protocol import End

SHORTEST_S = 0.2
LONGEST_S = 30.0
ABSTAINED_SHARE = 0.8
UNSURE_PROBABILITY = 0.4
SILENCE = "silence"


def unfamiliar(measured: Measured | None, *, end: End) -> str:
    """Why the clip seems unlike the training clips; empty where it does not, or where there is no clip."""
    if measured is None:
        return ""
    if not SHORTEST_S <= measured.duration_s <= LONGEST_S:
        return f"the clip lasts {measured.duration_s:.2f} s; the model was trained on {SHORTEST_S:g} to {LONGEST_S:g} s"
    abstained = sum(descriptor.abstained for descriptor in measured.descriptors)
    if not _silent(measured) and abstained > 0 and abstained >= ABSTAINED_SHARE * len(measured.descriptors):
        return f"{abstained} of {len(measured.descriptors)} measurements abstain on this clip"
    if end.answer_tokens and end.answer_logprob < math.log(UNSURE_PROBABILITY):
        return f"the model gave the tokens of its answer a mean probability of only {math.exp(end.answer_logprob):.2f}"
    return ""


def _silent(measured: Measured) -> bool:
    return any(
        descriptor.name.startswith(SILENCE) and descriptor.value.lower() in ("true", "yes", "1", "silent")
        for descriptor in measured.descriptors
    )
