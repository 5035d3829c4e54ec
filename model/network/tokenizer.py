r"""The nano tokenizer: one token per known word, bytes for everything else, lossless for any text.

A word's token carries the space before it. Each line (and each stretch between special tokens) is
read as if a space stood before it, so a word at the start of a line is the same token as inside a
sentence; decoding takes that space away again. Digits stand alone, "\n" is a token of its own.

Built from stock parts of `tokenizers`, so the saved folder opens with PreTrainedTokenizerFast
anywhere. One limit: decoding drops a space that follows the *spelled-out* name of a special token.
"""

import re
from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from model.network.errors import NetworkError
from model.network.template import (
    AUDIO_END,
    AUDIO_PATCH,
    AUDIO_START,
    BOT,
    CHAT_TEMPLATE,
    END_THINK,
    EOT,
    ROLES,
    THINK,
)

PAD = "<|pad|>"
NEWLINE = "\n"

SPECIAL_TOKENS = (PAD, BOT, EOT, AUDIO_START, AUDIO_END, AUDIO_PATCH, THINK, END_THINK)
"""In the order of their ids in a tokenizer built here; released tokenizers have ids of their own."""

_PIECES = r" ?[\p{L}\p{M}]+| ?\p{N}| ?[^\s\p{L}\p{M}\p{N}]|\s"
_ONE_PIECE = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")
_DIGITS = tuple("0123456789")


def build_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """The tokenizer of a closed vocabulary; `words` are words, digits or punctuation marks, one piece each."""
    tokenizer = Tokenizer(models.BPE(vocab=_vocabulary(words), merges=[], ignore_merges=True))
    tokenizer.normalizer = normalizers.Prepend(" ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            _byte_level(),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteLevel(), decoders.Fuse(), decoders.Replace(_prepended_space(), "")]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.add_tokens([AddedToken(NEWLINE, special=False, normalized=False)])
    return _wrapped(tokenizer)


def _vocabulary(words: Iterable[str]) -> dict[str, int]:
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    spaced = [_spaced(word) for word in (*_DIGITS, *ROLES, *words)]
    return {token: index for index, token in enumerate(dict.fromkeys([*SPECIAL_TOKENS, NEWLINE, *symbols, *spaced]))}


def _spaced(word: str) -> str:
    """The token of a word and the space before it, spelled in byte symbols."""
    if not _ONE_PIECE.fullmatch(word):
        raise NetworkError("NOT_ONE_PIECE", f"{word!r} is not one word, digit or mark: split it before adding it")
    return str(_byte_level().pre_tokenize_str(" " + word)[0][0])


def _byte_level() -> pre_tokenizers.ByteLevel:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def _prepended_space() -> Regex:
    after = "|".join(re.escape(token) for token in SPECIAL_TOKENS)
    return Regex(f"^ |(?<={after}) ")


def _wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOT,
        eos_token=EOT,
        pad_token=PAD,
        additional_special_tokens=[token for token in SPECIAL_TOKENS if token not in (PAD, BOT, EOT)],
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
