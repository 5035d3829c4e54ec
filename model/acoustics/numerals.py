"""Numbers as English writes them: "three", "a single", "12", "one hundred and twenty", "two and a half", "second"."""

import re

_SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_CARDINALS = {word: float(value) for value, word in enumerate(_SMALL)}
_CARDINALS |= {word: 10.0 * value for value, word in enumerate(_TENS, 2)}
_PHRASES = {"no": 0.0, "a single": 1.0, "only one": 1.0, "once": 1.0, "twice": 2.0, "half a": 0.5}
_PLACES = (
    *(("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th")),
    *(("fifth", "5th"), ("sixth", "6th"), ("seventh", "7th"), ("eighth", "8th")),
)
_ORDINALS = {word: place for place, words in enumerate(_PLACES, 1) for word in words} | {"last": -1, "final": -1}
_ORDINALS |= {"opening": 1, "initial": 1, "closing": -1}

_WORD = rf"(?:{'|'.join(sorted(_CARDINALS, key=len, reverse=True))})"
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})[- ]{_WORD}|{_WORD})"
_SPELLED = rf"(?:(?:a|one|two|three) hundred(?: (?:and )?{_BELOW_HUNDRED})?|{_BELOW_HUNDRED})(?: and a half)?"
NUMBER = rf"(?:\d+(?:\.\d+)?|{'|'.join(_PHRASES)}|{_SPELLED})"
ORDINAL = rf"(?:{'|'.join(_ORDINALS)})"


def number(text: str) -> float:
    """The value of a text that matches NUMBER."""
    if text in _PHRASES:
        return _PHRASES[text]
    if text[0].isdigit():
        return float(text)
    words = text.removesuffix(" and a half")
    hundreds, has_hundreds, rest = words.rpartition("hundred")
    value = 100.0 * _CARDINALS.get(hundreds.strip(), 1.0) if has_hundreds else 0.0
    value += sum(_CARDINALS[word] for word in re.split("[- ]", rest.strip()) if word in _CARDINALS)
    return value + (0.5 if words != text else 0.0)


def ordinal(text: str) -> int:
    """1 for "first", -1 for "last", of a text that matches ORDINAL."""
    return _ORDINALS[text]
