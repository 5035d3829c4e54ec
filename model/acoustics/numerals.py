"""Numbers as English writes them: "three", "a single", "12", "2.5", "second", "last"."""

_SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
]
_CARDINALS = {word: float(value) for value, word in enumerate(_SMALL)} | {"no": 0.0, "a single": 1.0, "only one": 1.0}
_PLACES = (
    *(("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th")),
    *(("fifth", "5th"), ("sixth", "6th"), ("seventh", "7th"), ("eighth", "8th")),
)
_ORDINALS = {word: place for place, words in enumerate(_PLACES, 1) for word in words} | {"last": -1, "final": -1}

NUMBER = rf"(?:\d+(?:\.\d+)?|{'|'.join(sorted(_CARDINALS, key=len, reverse=True))})"
ORDINAL = rf"(?:{'|'.join(_ORDINALS)})"


def number(text: str) -> float:
    """The value of a text that matches NUMBER."""
    return _CARDINALS[text] if text in _CARDINALS else float(text)


def ordinal(text: str) -> int:
    """1 for "first", -1 for "last", of a text that matches ORDINAL."""
    return _ORDINALS[text]
