"""From reasoning in words to typed claims about sound.

Promises to read every checkable phrase of the nano language and the ordinary English of `lexicon`, to keep for each
claim where in the text it stands, and to invent none. Leaves what is no statement to `sentences`, the patterns to
`lexicon` and judging to `verification`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from model.acoustics.lexicon import RULES
from model.acoustics.numerals import number, ordinal
from model.acoustics.phrasing import NOTE_NAME, Rule
from model.acoustics.sentences import Stretch, is_hedged, statements, stretch_of


class Relation(StrEnum):
    """How the measured value must stand to the claimed one."""

    IS = "is"
    IS_NOT = "is_not"
    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    GREATER = "greater"
    LESS = "less"
    INCLUDES = "includes"


@dataclass(frozen=True)
class Claim:
    """A checkable statement about a clip."""

    descriptor: str
    """Name of a descriptor, "sound_loudness" and "note_pitch" for comparisons, or a superlative: "loudest_sound",
    "softest_sound", "highest_note", "lowest_note"."""
    relation: Relation
    value: str | float
    """A label, a number or place (-1 the last), or two places such as "2:1" (second against first)."""
    tolerance: float
    """How far a measured number may lie from the claimed one."""
    start_s: float | None
    end_s: float | None
    """The stretch of the clip it speaks of; None where it does not say, an end of None with a start: to the end."""
    text: str
    text_start: int
    text_end: int
    part: str = ""
    """"start", "end", "first half", "second half" where the stretch is named without seconds."""


_NEGATED = re.compile(r"\b(?:not|never|no longer)\b|n't")
_NONE_BEFORE = re.compile(
    r"(?:\b(?:no|not(?: an?)?|without(?: an?| any)?)|n't(?: an?)?) (?:clear |real |such |any |at all )?$"
)
_BOUNDS = {
    "at least": Relation.AT_LEAST,
    "at most": Relation.AT_MOST,
    "no more than": Relation.AT_MOST,
    "not more than": Relation.AT_MOST,
    "up to": Relation.AT_MOST,
}
_MEASURE_BOUNDS = {
    "just over": Relation.EQUALS,
    "just under": Relation.EQUALS,
    **_BOUNDS,
    **dict.fromkeys(("more than", "faster than", "above", "over"), Relation.AT_LEAST),
    **dict.fromkeys(("less than", "slower than", "below", "under"), Relation.AT_MOST),
}
# "Not 120 bpm", "from 90 to 120 bpm", "between 90 and 120 bpm" name numbers that none is measured against.
_NOT_ITSELF = re.compile(r"(?:\bnot|n't|\b(?:from|between)(?: [\w. ]+ (?:to|and))?) (?:at |about |around |roughly )?$")
_COMPARISONS = {"greater": Relation.GREATER, "less": Relation.LESS, "equal": Relation.EQUALS}
_FAMILY = {"key": "mode", "silence": "event_count"}  # "there is no sound" is silence, not a count of zero
_BEFORE_CHARS = 24  # holds every word of bounds and roughness
_ROUGHLY = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|some) $")
_SHARES = {"tempo": 0.04, "duration": 0.1, "pitch_median": 0.1, "onset_rate": 0.25, "snr": 0.0}
_LEAST = {"duration": 0.2, "snr": 3.0}
_ROUGH_COUNT = 1.0


def extract_claims(text: str) -> list[Claim]:
    """The claims of a reasoning text, in order of appearance."""
    claims: list[Claim] = []
    for sentence, offset in statements(text):
        claims.extend(_claims_of(sentence, text=text, offset=offset))
    return claims


def _claims_of(sentence: str, *, text: str, offset: int) -> list[Claim]:
    found: list[tuple[int, Claim]] = []
    read: defaultdict[str, set[int]] = defaultdict(set)  # by family: places an earlier match read as the same thing
    stretch = stretch_of(sentence)
    for rule in RULES:
        if not any(trigger in sentence for trigger in rule.triggers):
            continue
        for match in rule.pattern.finditer(sentence):
            claim = _claim(rule, match, stretch, text=text, offset=offset)
            if claim is None:
                continue
            places, known = range(*match.span()), read[_FAMILY.get(claim.descriptor, claim.descriptor)]
            if known.isdisjoint(places):
                known.update(places)
                found.append((match.start(), claim))
    return [claim for _, claim in sorted(found, key=lambda entry: entry[0])]


def _claim(rule: Rule, match: re.Match[str], stretch: Stretch, *, text: str, offset: int) -> Claim | None:
    read = _read(rule, match)
    if read is None or is_hedged(match):
        return None
    relation, value, tolerance = read
    if relation is Relation.AT_MOST or "none" in match.groupdict():
        pass  # "not more than three" and "does not pause" hold their negation
    elif _NEGATED.search(match.group()) or _NONE_BEFORE.search(
        match.string[max(0, match.start() - _BEFORE_CHARS) : match.start()]
    ):
        if relation is not Relation.IS:
            return None  # "not louder than" and "not three" say too little to be held to a measurement
        relation = Relation.IS_NOT
    article = len("the ") if match.string.endswith("the ", 0, match.start()) else 0
    start, end = offset + match.start() - article, offset + match.end()
    place = (stretch.start_s, stretch.end_s, text[start:end], start, end, stretch.part)
    return Claim(rule.descriptor, relation, value, tolerance, *place)


def _read(rule: Rule, match: re.Match[str]) -> tuple[Relation, str | float, float] | None:
    """Relation, value and tolerance of a match."""
    groups = {name: found for name, found in match.groupdict().items() if found is not None}
    if "this" in groups:
        return _read_comparison(groups)
    if "number" in groups:
        return _read_number(rule.descriptor, match)
    if "none" in groups:
        return Relation.EQUALS, 0.0, 0.0
    if any(name.startswith("place") for name in groups):
        relation = Relation.INCLUDES if rule.descriptor == "accents" else Relation.EQUALS
        return relation, float(ordinal(next(found for name, found in groups.items() if name.startswith("place")))), 0.0
    if "sequence" in groups:
        return Relation.IS, " ".join(name.capitalize() for name in NOTE_NAME.findall(groups["sequence"])), 0.0
    if "tonic" in groups:
        tonic = groups["tonic"].replace("-", " ").replace(" sharp", "#").replace(" flat", "b")
        return Relation.IS, f"{tonic[0].upper()}{tonic[1:]} {groups['mode']}", 0.0
    name = next(iter(groups)).rstrip("234")
    return Relation.IS, groups.get("mode") or groups["mode2"] if name == "mode" else name, 0.0


def _read_comparison(groups: dict[str, str]) -> tuple[Relation, str | float, float] | None:
    this = ordinal(groups["this"])
    named = groups.get("other")
    if named is None and "equal" in groups:
        return None
    if named is None or named in ("previous", "one before"):
        if this == 1 or (this == -1 and named is None):
            return None
        other = this - 1
    else:
        other = ordinal(named)
    relation = next(relation for relation in _COMPARISONS if relation in groups)
    return _COMPARISONS[relation], f"{this}:{other}", 0.0


def _read_number(descriptor: str, match: re.Match[str]) -> tuple[Relation, str | float, float] | None:
    value = number(match["number"].removesuffix(" times"))
    before = match.string[: match.start("number")][-_BEFORE_CHARS:]
    if _NOT_ITSELF.search(before):
        return None
    bounds = _MEASURE_BOUNDS if descriptor in _SHARES else _BOUNDS
    bound = next((relation for words, relation in bounds.items() if before.endswith(f"{words} ")), Relation.EQUALS)
    if descriptor in _SHARES:
        return bound, value, max(_LEAST.get(descriptor, 0.0), value * _SHARES[descriptor])
    return bound, value, _ROUGH_COUNT if _ROUGHLY.search(before) else 0.0
