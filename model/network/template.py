r"""The chat template of Step-Audio: messages to text, messages to ids, a reply to its two halves.

    <|BOT|>role\n…<|EOT|>      role is system, human or assistant
    <|BOT|>assistant\n<think>\n            where the model begins to reason
    <|BOT|>assistant\n<think>\n\n</think>\n   where it is to answer without reasoning

An audio item is <audio_start>, one <audio_patch> per audio token, <audio_end>. Token strings are the
paper's, ids come from the tokenizer. Text from messages can never become a special token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from transformers import PreTrainedTokenizerFast

from model.network.errors import NetworkError

Role = Literal["system", "human", "assistant"]

BOT, EOT = "<|BOT|>", "<|EOT|>"
AUDIO_START, AUDIO_END, AUDIO_PATCH = "<audio_start>", "<audio_end>", "<audio_patch>"
THINK, END_THINK = "<think>", "</think>"

ROLES = ("system", "human", "assistant")

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|BOT|>' + message.role + '\\n' }}
{%- if message.content is string -%}
{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{{ '<audio_start><audio_patch><audio_end>' if part.type == 'audio' else part.text }}
{%- endfor -%}
{%- endif -%}
{{ '<|EOT|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|BOT|>assistant\\n<think>\\n' }}
{%- if enable_thinking is defined and not enable_thinking -%}
{{ '\\n</think>\\n' }}
{%- endif -%}
{%- endif -%}
"""
"""The same template for transformers and vLLM; a processor repeats <audio_patch> as often as needed."""


@dataclass(frozen=True)
class AudioItem:
    """A place for one chunk of sound in a message."""


AUDIO: Final = AudioItem()


@dataclass(frozen=True)
class Message:
    """One turn; `parts` are texts and audio items in reading order."""

    role: Role
    parts: tuple[str | AudioItem, ...]

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise NetworkError("UNKNOWN_ROLE", f"role {self.role!r} is not known: use one of {ROLES}")


@dataclass(frozen=True)
class Reply:
    """What the model wrote: its reasoning, its answer, and whether the reasoning was brought to an end."""

    reasoning: str
    answer: str
    closed: bool


def render_prompt(messages: Sequence[Message], audio_token_counts: Sequence[int] = (), *, think: bool = True) -> str:
    """The prompt as text, for people and golden files; `prompt_ids` is what the model reads."""
    return "".join(str(piece) for piece in _pieces(messages, audio_token_counts, think=think))


def prompt_ids(
    tokenizer: PreTrainedTokenizerFast,
    messages: Sequence[Message],
    audio_token_counts: Sequence[int] = (),
    *,
    think: bool = True,
) -> list[int]:
    """The prompt as ids; `audio_token_counts` holds the tokens of each audio item in reading order."""
    ids: list[int] = []
    text = ""
    for piece in _pieces(messages, audio_token_counts, think=think):
        if isinstance(piece, str):
            text += piece
        else:
            ids += encode_plain(tokenizer, text) + [token_id(tokenizer, piece.name)] * piece.repeats
            text = ""
    return ids + encode_plain(tokenizer, text)


def encode_plain(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Ids of text from anywhere: the name of a special token in it stays text and gains no power."""
    return list(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))


def token_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """The id of one of this template's special tokens."""
    found: int | None = tokenizer.added_tokens_encoder.get(token)
    if found is None:
        raise NetworkError("UNKNOWN_TOKEN", f"the tokenizer has no token {token!r}: use one made for this template")
    return found


def parse_reply(text: str, *, think: bool = True) -> Reply:
    """Split what was generated after a prompt of the same `think`; unclosed reasoning has no answer."""
    text = text.removesuffix(EOT)
    if not think:
        return Reply(reasoning="", answer=text.strip(), closed=True)
    reasoning, end, answer = text.removeprefix(THINK).partition(END_THINK)
    return Reply(reasoning=reasoning.strip(), answer=answer.strip(), closed=bool(end))


@dataclass(frozen=True)
class _Token:
    """A special token, repeated."""

    name: str
    repeats: int = 1

    def __str__(self) -> str:
        return self.name * self.repeats


def _pieces(messages: Sequence[Message], audio_token_counts: Sequence[int], *, think: bool) -> Iterator[str | _Token]:
    counts = iter(_checked_counts(messages, audio_token_counts))
    for message in messages:
        yield from (_Token(BOT), f"{message.role}\n")
        for part in message.parts:
            if isinstance(part, str):
                yield part
            else:
                yield from (_Token(AUDIO_START), _Token(AUDIO_PATCH, next(counts)), _Token(AUDIO_END))
        yield _Token(EOT)
    yield from (_Token(BOT), "assistant\n", _Token(THINK), "\n")
    if not think:
        yield from ("\n", _Token(END_THINK), "\n")


def _checked_counts(messages: Sequence[Message], counts: Sequence[int]) -> Sequence[int]:
    items = sum(isinstance(part, AudioItem) for message in messages for part in message.parts)
    if items != len(counts):
        raise NetworkError(
            "AUDIO_MISMATCH", f"the messages hold {items} audio items but {len(counts)} token counts: give one for each"
        )
    return counts
