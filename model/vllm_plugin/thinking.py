"""The bounds of reasoning and the tokens a reply never has, as vLLM's logits processor; the rules are those of
`model.engine.rows`.

A request brings them in `SamplingParams.extra_args` under `BOUNDS`: vLLM's own process knows no tokenizer of ours.
"""

# mypy: disable-error-code="misc"
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

BOUNDS = "mgrd"


@dataclass(frozen=True)
class Bounds:
    """What one reply must keep to; ids are the tokenizer's."""

    thinking: bool
    """Whether the prompt ends inside reasoning."""
    least: int
    most: int | None
    end_think: int
    newline: int
    ends: Sequence[int]
    """What would end the reply."""
    unsayable: Sequence[int]

    def to_args(self) -> dict[str, Any]:
        """As `extra_args` carry it."""
        return {BOUNDS: asdict(self)}

    def apply(self, said: Sequence[int], logits_V: Tensor) -> Tensor:
        """The logits with what may not come next taken away; all but one where it is forced."""
        forced = self._forced(said)
        if forced is not None:
            kept = logits_V[forced].clone()
            logits_V.fill_(-math.inf)
            logits_V[forced] = kept
            return logits_V
        logits_V[list(self.unsayable)] = -math.inf
        if self.thinking and self.end_think not in said and len(said) < self.least:
            logits_V[[self.end_think, *self.ends]] = -math.inf
        return logits_V

    def _forced(self, said: Sequence[int]) -> int | None:
        if not self.thinking or self.most is None or len(said) < self.most:
            return None
        if self.end_think not in said:
            return self.end_think
        was_forced = len(said) == self.most + 1 and said[-1] == self.end_think
        return self.newline if was_forced else None


class ThinkBounds(AdapterLogitsProcessor):
    """Applies each request's own bounds."""

    def is_argmax_invariant(self) -> bool:
        return False

    def new_req_logits_processor(self, params: Any) -> Callable[[list[int], Tensor], Tensor] | None:
        given = (params.extra_args or {}).get(BOUNDS)
        return Bounds(**given).apply if given else None
