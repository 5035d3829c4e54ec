r"""A training or test example, and its tokens.

The response of an example with reasoning is `reasoning\n</think>\nanswer<|EOT|>` behind a prompt
that ends in `<think>\n`; without reasoning the empty block is part of the prompt, or, where the
model shall learn that it may skip thinking, of the response (paper section 1, template).
"""

from dataclasses import dataclass, replace

from torch import Tensor
from transformers import PreTrainedTokenizerFast

from model.learning import prompts
from model.learning.batching import TokenSequence
from model.network.template import END_THINK, EOT, encode_plain, token_id
from model.network.template import prompt_ids as template_prompt_ids


@dataclass(frozen=True)
class Example:
    """A question about at most one clip, with what is known of its answer."""

    id: str
    question: str
    answer: str
    choices: tuple[str, ...] = ()
    reasoning: str = ""
    audio: tuple[Tensor, ...] = ()
    """Each chunk of the clip as encoder frames `frames_FE`, or as `mel_TM` while the encoder learns."""
    audio_tokens: tuple[int, ...] = ()
    """How many audio tokens each chunk becomes."""
    instruction: str = prompts.INSTRUCTION
    kind: str = ""
    depth: int = 0
    contradictory: bool = False
    """Whether the words suggest another answer than the sound."""

    @property
    def has_audio(self) -> bool:
        """Whether there is a clip."""
        return bool(self.audio)

    def instructed(self, instruction: str) -> "Example":
        """The same example under another system message."""
        return replace(self, instruction=instruction)


def prompt_ids(tokenizer: PreTrainedTokenizerFast, example: Example, *, think: bool) -> list[int]:
    """Ids up to where the model begins to write."""
    messages = prompts.question_messages(
        example.question,
        choices=example.choices,
        audio_items=len(example.audio),
        instruction=example.instruction,
    )
    return template_prompt_ids(tokenizer, messages, example.audio_tokens, think=think)


def training_row(tokenizer: PreTrainedTokenizerFast, example: Example, *, may_skip: bool = False) -> TokenSequence:
    """Prompt and response of an example whose answer and reasoning are given.

    With `may_skip`, an example without reasoning teaches the empty block itself.
    """
    think = bool(example.reasoning) or may_skip
    prompt = prompt_ids(tokenizer, example, think=think)
    block = [*encode_plain(tokenizer, example.reasoning), *_close(tokenizer)] if think else []
    answer = encode_plain(tokenizer, example.answer)
    return TokenSequence(tuple(prompt), (*block, *answer, token_id(tokenizer, EOT)), example.audio)


def _close(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    newline = encode_plain(tokenizer, "\n")
    return [*newline, token_id(tokenizer, END_THINK), *newline]
