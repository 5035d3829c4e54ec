"""A caller's question, checked: every limit is here, and every error names its field and the remedy.

Both doors (gRPC and HTTP) make a `Question`; nothing behind them looks at a request again.
"""

from dataclasses import dataclass

from services.inference.domain import PRODUCTION
from services.inference.triton.protocol import Ask
from services.kit.errors import InvalidArgument, shown
from services.kit.names import NamePattern

MODEL = NamePattern("models/{model}")
ALIAS = NamePattern("models/{model}/aliases/{alias}")

QUESTION_CHARS_MAX = 2_000
CHOICES_MAX = 26
CHOICE_CHARS_MAX = 200
AUDIO_BYTES_MAX = 32 * 2**20
TOKENS_MAX = 4_096
TEMPERATURE_MIN, TEMPERATURE_MAX = 0.01, 2.0  # below, and above 0, logits overflow; 0 is the likeliest token
TOP_P_MIN = 0.001  # below, rounding leaves no token to draw


@dataclass(frozen=True)
class Question:
    """What is asked, of whom, about which clip."""

    alias: str
    """`models/{model}/aliases/{alias}`."""
    ask: Ask
    audio: bytes | None = None
    """None asks without sound."""
    wants_evidence: bool = True


def alias_name(model: str, alias: str) -> str:
    """The alias asked, from the two fields of a request; an empty alias means production."""
    (model_id,) = MODEL.parse(model, field="model")
    name = ALIAS.format(model_id, alias or PRODUCTION)
    ALIAS.parse(name, field="alias")
    return name


def checked(question: Question) -> Question:
    """The question itself where every limit holds; InvalidArgument otherwise."""
    ask = question.ask
    _check_text(ask.question, field="question", most=QUESTION_CHARS_MAX)
    if len(ask.choices) > CHOICES_MAX:
        raise InvalidArgument(f"{len(ask.choices)} choices; give at most {CHOICES_MAX}", field="choices")
    for index, choice in enumerate(ask.choices):
        _check_text(choice, field=f"choices[{index}]", most=CHOICE_CHARS_MAX)
    if question.audio is not None:
        _check_audio(question.audio)
    _check_sampling(ask)
    return question


def _check_audio(audio: bytes) -> None:
    if not audio:
        raise InvalidArgument(
            "audio is empty; send the bytes of a sound file, or leave it out to ask without sound",
            field="audio",
            reason="EMPTY_AUDIO",
        )
    if len(audio) > AUDIO_BYTES_MAX:
        raise InvalidArgument(
            f"the clip has {len(audio)} bytes; send at most {AUDIO_BYTES_MAX}",
            field="audio",
            reason="AUDIO_TOO_LARGE",
        )


def _check_sampling(ask: Ask) -> None:
    _check_range(ask.max_new_tokens, field="sampling.max_new_tokens", least=1, most=TOKENS_MAX)
    _check_range(ask.max_think_tokens, field="sampling.max_think_tokens", least=1, most=TOKENS_MAX)
    if ask.temperature != 0:
        _check_range(ask.temperature, field="sampling.temperature", least=TEMPERATURE_MIN, most=TEMPERATURE_MAX)
    _check_range(ask.top_p, field="sampling.top_p", least=TOP_P_MIN, most=1.0)
    _check_range(ask.seed, field="sampling.seed", least=0, most=2**63 - 1)


def _check_text(text: str, *, field: str, most: int) -> None:
    if not text.strip():
        raise InvalidArgument(f"{field} is empty; write it in words", field=field)
    if len(text) > most:
        raise InvalidArgument(f"{field} has {len(text)} characters; use at most {most}", field=field)
    if any((ord(char) < 32 and char not in "\t\n\r") or "\ud800" <= char <= "\udfff" for char in text):
        raise InvalidArgument(f"{field} holds a control character or half of one: {shown(text)}", field=field)


def _check_range(value: float | None, *, field: str, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidArgument(f"{field} is {value}; use a value from {least:g} to {most:g}", field=field)
