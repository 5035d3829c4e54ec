"""How a question is put to the model: the same words in training, evaluation and serving.

Leaves the layout of roles and tokens to `model.network.template`.
"""

import re
from collections.abc import Sequence

from model.network.template import AUDIO, Message

INSTRUCTION = "answer the question ."
"""The usual system message."""

ELICITING_INSTRUCTION = "first say what you hear : pitch , loudness , rhythm and timbre . then answer ."
"""The eliciting system message of self-distillation (paper eq 4)."""

CAPTION_QUESTION = "describe the sound ."
TRANSCRIPT_QUESTION = "write down the words ."

_MARK = re.compile(r"\s*([.,;:!?])\s*")


def normalise_text(text: str) -> str:
    """Lower case, punctuation set apart by single spaces: the form all training text has."""
    return " ".join(_MARK.sub(r" \1 ", text.lower()).split())


def question_text(question: str, choices: Sequence[str] = ()) -> str:
    """A question with its choices, if any."""
    text = normalise_text(question)
    if not choices:
        return text
    return f"{text} choose from {' , '.join(normalise_text(choice) for choice in choices)} ."


def question_messages(
    question: str,
    *,
    choices: Sequence[str] = (),
    audio_items: int = 0,
    instruction: str = INSTRUCTION,
) -> list[Message]:
    """System message, then the sound and the question."""
    return [
        Message("system", (instruction,)),
        Message("human", (*[AUDIO] * audio_items, question_text(question, choices))),
    ]


def prompt_words() -> list[str]:
    """Every word these prompts can add to those of the world."""
    texts = (INSTRUCTION, ELICITING_INSTRUCTION, CAPTION_QUESTION, TRANSCRIPT_QUESTION, "choose from , .")
    return sorted({word for text in texts for word in text.split()})
