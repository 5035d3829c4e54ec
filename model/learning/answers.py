"""When an answer counts as right: equal after normalisation, for training and evaluation alike."""

import re
import unicodedata

_NUMBERS = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve".split(),
        (str(n) for n in range(13)),
        strict=True,
    )
)
_TOKEN = re.compile(r"[a-z]+|\d+")


def normalise(answer: str) -> tuple[str, ...]:
    """Words and numbers of an answer: lower case, no punctuation, number words as digits, no article."""
    plain = unicodedata.normalize("NFKC", answer).lower()
    words = (_NUMBERS.get(word, word) for word in _TOKEN.findall(plain))
    return tuple(word for word in words if word not in {"a", "an", "the"})


def is_correct(answer: str, reference: str) -> bool:
    """Eq 2's indicator 1[a = a*]. An empty answer is never right."""
    given = normalise(answer)
    return bool(given) and given == normalise(reference)
