"""From reasoning in words to typed claims about sound.

Promises to read every checkable phrase of the nano language and the ordinary English of `lexicon`, to keep for each
claim where in the text it stands, and to invent none: questions, conditions, guesses, generalities, quoted words and
the conclusion itself are not claims. Leaves the patterns to `lexicon` and judging to `verification`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from model.acoustics.lexicon import RULES, Rule
from model.acoustics.numerals import NUMBER, number, ordinal


class Relation(StrEnum):
    """How the measured value must stand to the claimed one."""

    IS = "is"
    IS_NOT = "is_not"
    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    GREATER = "greater"
    LESS = "less"


@dataclass(frozen=True)
class Claim:
    """A checkable statement about a clip."""

    descriptor: str
    """Name of a descriptor, or "sound_loudness" and "note_pitch" for comparisons."""
    relation: Relation
    value: str | float
    """A label, a number, or two places such as "2:1" (second against first, -1 the last)."""
    tolerance: float
    """How far a measured number may lie from the claimed one."""
    start_s: float | None
    end_s: float | None
    """The stretch of the clip it speaks of; None where it does not say."""
    text: str
    text_start: int
    text_end: int
    part: str = ""
    """"start", "end", "first half", "second half" where the stretch is named without seconds."""


_SENTENCE = re.compile(r"(?:[^.;!?\n]|(?<=\d)\.(?=\d))+[.;!?\n]?")
_UNCERTAIN = frozenset(
    (
        *("if", "whether", "unless", "or", "neither", "nor", "suppose", "imagine", "expect", "expected", "unsure"),
        *("usually", "often", "typically", "normally", "generally", "sometimes"),
        *("would", "could", "might", "may", "maybe", "perhaps", "should"),
    )
)
_NOT_HEARD = re.compile(r"\b(?:says?|said|saying|lyrics|the answer is|means|cannot tell|can't tell|not sure)\b")
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")  # stops at the next mark, so that many of them cost no square
_NEGATED = re.compile(r"\b(?:not|never|no longer)\b|n't")
_S = r" ?s(?:ec(?:onds?)?)?"
_SECONDS = re.compile(rf"\b(?:from|between) (?P<start>{NUMBER})(?:{_S})? (?:to|and|until) (?P<end>{NUMBER}){_S}\b")
_PARTS = {
    "end": re.compile(r"\b(?:at|towards|near) the end\b"),
    "start": re.compile(r"\b(?:at|in|near) the (?:start|beginning)\b"),
    "first half": re.compile(r"\bin the first half\b"),
    "second half": re.compile(r"\bin the second half\b"),
}
_BOUNDS = {"at least": Relation.AT_LEAST, "at most": Relation.AT_MOST}
_COMPARISONS = {"greater": Relation.GREATER, "less": Relation.LESS, "equal": Relation.EQUALS}
_FAMILY = {"key": "mode", "silence": "event_count"}  # "there is no sound" is silence, not a count of zero
_BEFORE_CHARS = 24  # holds every word of bounds and roughness
_ROUGHLY = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|some) $")
_TEMPO_SHARE, _DURATION_SHARE, _ROUGH_COUNT = 0.04, 0.1, 1.0


def extract_claims(text: str) -> list[Claim]:
    """The claims of a reasoning text, in order of appearance."""
    claims: list[Claim] = []
    for sentence in _SENTENCE.finditer(_lowered(text)):
        if not _is_statement(sentence.group()):
            continue
        claims.extend(_claims_of(sentence.group(), text=text, offset=sentence.start()))
    return claims


def _lowered(text: str) -> str:
    """Lower case of the same length, so that places in it are places in the text; quotations blanked out."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    if '"' in lowered or "“" in lowered:
        return _QUOTED.sub(lambda quoted: " " * len(quoted.group()), lowered)
    return lowered


def _is_statement(sentence: str) -> bool:
    if sentence.endswith("?") or not _UNCERTAIN.isdisjoint(sentence.replace(",", " ").split()):
        return False
    return _NOT_HEARD.search(sentence) is None


def _claims_of(sentence: str, *, text: str, offset: int) -> list[Claim]:
    found: list[tuple[int, Claim]] = []
    read: defaultdict[str, set[int]] = defaultdict(set)  # by family: places an earlier match read as the same thing
    stretch = _stretch(sentence)
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


def _claim(
    rule: Rule, match: re.Match[str], stretch: tuple[float | None, float | None, str], *, text: str, offset: int
) -> Claim | None:
    read = _read(rule, match)
    if read is None:
        return None
    relation, value, tolerance = read
    if relation is Relation.IS and _NEGATED.search(match.group()):
        relation = Relation.IS_NOT
    elif _NEGATED.search(match.group()):
        return None  # "not louder than" and "not three" say too little to be held to a measurement
    article = len("the ") if match.string.endswith("the ", 0, match.start()) else 0
    start, end = offset + match.start() - article, offset + match.end()
    start_s, end_s, part = stretch
    return Claim(rule.descriptor, relation, value, tolerance, start_s, end_s, text[start:end], start, end, part)


def _read(rule: Rule, match: re.Match[str]) -> tuple[Relation, str | float, float] | None:
    """Relation, value and tolerance of a match."""
    groups = {name: found for name, found in match.groupdict().items() if found is not None}
    if "this" in groups:
        return _read_comparison(groups)
    if "number" in groups:
        return _read_number(rule.descriptor, match)
    if "tonic" in groups:
        tonic = groups["tonic"].replace(" sharp", "#").replace(" flat", "b")
        return Relation.IS, f"{tonic[0].upper()}{tonic[1:]} {groups['mode']}", 0.0
    if rule.descriptor == "mode":
        return Relation.IS, groups.get("mode") or groups["mode2"], 0.0
    return Relation.IS, next(iter(groups)), 0.0


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


def _read_number(descriptor: str, match: re.Match[str]) -> tuple[Relation, str | float, float]:
    value = number(match["number"])
    before = match.string[: match.start("number")][-_BEFORE_CHARS:]
    bound = next((relation for words, relation in _BOUNDS.items() if before.endswith(f"{words} ")), Relation.EQUALS)
    if descriptor == "tempo":
        return bound, value, value * _TEMPO_SHARE
    if descriptor == "duration":
        return bound, value, max(0.2, value * _DURATION_SHARE)
    return bound, value, _ROUGH_COUNT if _ROUGHLY.search(before) else 0.0


def _stretch(sentence: str) -> tuple[float | None, float | None, str]:
    """The time a sentence speaks of, in seconds or as a named part."""
    seconds = _SECONDS.search(sentence) if (" s" in sentence or "sec" in sentence) else None
    if seconds is not None:
        return number(seconds["start"]), number(seconds["end"]), ""
    if " the " not in sentence:
        return None, None, ""
    return None, None, next(_named_parts(sentence), "")


def _named_parts(sentence: str) -> Iterator[str]:
    return (part for part, pattern in _PARTS.items() if pattern.search(sentence))
