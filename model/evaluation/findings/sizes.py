"""How large the runs are: everything that decides time and power, by name.

`full` fits 150 minutes a cell on two cores, `quick` takes about 25, `smoke` is for tests. `ample` asks whether
more is learnt from four times the scenes and three times the updates. Results of different sizes are never
mixed on one page.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """One size of everything."""

    name: str
    scenes: int
    """Training scenes; half to distil from, half to reinforce on."""
    wide_factor: int
    """Scenes of the wide pool, in multiples of `scenes`."""
    text_questions: int
    candidates: int
    sft_epochs: int
    rl_steps: int
    rl_prompts: int
    rl_samples: int
    dose_steps: int
    """Updates that turn a base into one with another share of surrogate chains."""
    questions: int
    """Held-out questions put to every checkpoint."""
    natural_samples: int
    """Free samples of each, for what length says."""
    probes: int
    budgets: tuple[int, ...]
    """Tokens of forced reasoning."""

    @property
    def identity(self) -> str:
        """Changes with any of them."""
        return f"{self.name}:{hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:8]}"


SMOKE = Sizes(
    name="smoke",
    scenes=12,
    wide_factor=1,
    text_questions=8,
    candidates=2,
    sft_epochs=1,
    rl_steps=1,
    rl_prompts=2,
    rl_samples=2,
    dose_steps=1,
    questions=4,
    natural_samples=2,
    probes=6,
    budgets=(4, 8),
)
QUICK = Sizes(
    name="quick",
    scenes=800,
    wide_factor=2,
    text_questions=240,
    candidates=12,
    sft_epochs=3,
    rl_steps=16,
    rl_prompts=10,
    rl_samples=16,
    dose_steps=120,
    questions=400,
    natural_samples=8,
    probes=1000,
    budgets=(4, 8, 16, 24, 32, 48),
)
AMPLE = replace(QUICK, name="ample", scenes=3200, wide_factor=1, rl_steps=48, questions=800, probes=200)
FULL = Sizes(
    name="full",
    scenes=1600,
    wide_factor=2,
    text_questions=400,
    candidates=16,
    sft_epochs=3,
    rl_steps=60,
    rl_prompts=12,
    rl_samples=16,
    dose_steps=400,
    questions=1000,
    natural_samples=8,
    probes=5000,
    budgets=(4, 8, 16, 24, 32, 48, 64),
)
SIZES = {sizes.name: sizes for sizes in (SMOKE, QUICK, AMPLE, FULL)}
