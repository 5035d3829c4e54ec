"""Rollouts: the policy answers, each response is parsed and rewarded.

Responses keep the ids and log-probabilities they were sampled with, so that training scores exactly
what was said. Empty and endless responses are kept: they earn nothing and are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from model.engine.engine import Engine
from model.engine.requests import Request, SamplingParams
from model.learning.batching import TokenSequence
from model.learning.examples import Example, prompt_ids
from model.learning.rewards import Response, RewardConfig, audio_reward, text_reward
from model.network.template import parse_reply


@dataclass(frozen=True)
class Rollout:
    """One response of the policy to one example."""

    example: Example
    row: TokenSequence
    logprobs: tuple[float, ...]
    reasoning: str
    answer: str
    response: Response
    reward: float
    finished: bool
    """Whether the response ended by itself."""

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return text_reward(self.response, self.example.answer) > 0


def roll_out(
    engine: Engine,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    *,
    n: int,
    sampling: SamplingParams,
    rewards: RewardConfig,
    think: bool = True,
) -> list[list[Rollout]]:
    """n responses to each example, in order."""
    prompts = [prompt_ids(tokenizer, example, think=think) for example in examples]
    requests = [
        Request(prompt_ids=prompt, frames=list(example.audio))
        for prompt, example in zip(prompts, examples, strict=True)
    ]
    groups = engine.generate(requests, sampling, n=n)
    return [
        [
            _rollout(tokenizer, example, prompt, completion, rewards, think=think)
            for completion in group.completions
        ]
        for example, prompt, group in zip(examples, prompts, groups, strict=True)
    ]
