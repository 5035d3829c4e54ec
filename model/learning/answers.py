"""When an answer counts as right: equal after normalisation, for training and evaluation alike."""

import re
import unicodedata

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
}
_ARTICLES = frozenset({"a", "an", "the"})
_TOKEN = re.compile(r"[^\W\d_]+|(?<!\w)-?\d+|\d+")


def normalise(answer: str) -> tuple[str, ...]:
    """Words and numbers of an answer: lower case, no punctuation, number words as digits, no article.

    An answer that is nothing but an article keeps it: "A" may be a choice or a note.
    """
    plain = unicodedata.normalize("NFKC", answer).lower()
    words = tuple(_NUMBERS.get(word, word) for word in _TOKEN.findall(plain))
    return tuple(word for word in words if word not in _ARTICLES) or words


def is_correct(answer: str, reference: str) -> bool:
    """Eq 2's indicator 1[a = a*]. An empty answer is never right."""
    given = normalise(answer)
    return bool(given) and given == normalise(reference)
