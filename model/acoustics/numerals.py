"""Numbers as English writes them: "three", "a single", "12", "2.5", "second", "last"."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_CARDINALS = {word: float(value) for value, word in enumerate(_SMALL)} | {"no": 0.0, "a single": 1.0, "only one": 1.0}
_ORDINALS = {word: place for place, word in enumerate("first second third fourth fifth sixth seventh eighth".split(), 1)}
_ORDINALS |= {f"{place}{'st' if place == 1 else 'nd' if place == 2 else 'rd' if place == 3 else 'th'}": place for place in range(1, 9)}
_ORDINALS |= {"last": -1, "final": -1}

NUMBER = rf"(?:\d+(?:\.\d+)?|{'|'.join(sorted(_CARDINALS, key=len, reverse=True))})"
ORDINAL = rf"(?:{'|'.join(_ORDINALS)})"


def number(text: str) -> float:
    """The value of a text that matches NUMBER."""
    return _CARDINALS[text] if text in _CARDINALS else float(text)


def ordinal(text: str) -> int:
    """1 for "first", -1 for "last", of a text that matches ORDINAL."""
    return _ORDINALS[text]
