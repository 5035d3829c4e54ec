"""Sentences of a reasoning text: which of them state something about the sound, and of which stretch of it.

Promises that questions, conditions, guesses, generalities, quoted words, things merely imagined and the conclusion
itself are no statements. Leaves what a statement says to `claims`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from model.acoustics.numerals import NUMBER, number


@dataclass(frozen=True)
class Stretch:
    """The time a sentence speaks of, in seconds or as a named part; an end of None with a start means to the end."""

    start_s: float | None = None
    end_s: float | None = None
    part: str = ""


_SENTENCE = re.compile(r"(?:[^.;!?\n]|(?<=\d)\.(?=\d))+[.;!?\n]?")
_UNCERTAIN = frozenset(
    (
        *("if", "whether", "unless", "or", "neither", "nor", "suppose", "imagine", "expect", "expected", "unsure"),
        *("usually", "often", "typically", "normally", "generally", "sometimes", "instead", "tend", "tends", "rarely"),
        *("would", "could", "might", "may", "should", "must"),
    )
)
_NOT_HEARD = re.compile(
    r"\b(?:(?<!what he )(?<!what she )says?|said|saying|lyrics|the answer is|means|cannot tell|can't tell|not sure"
    r"|as if|as though|options?|mentions?|claims?|claimed|insists?|argues?|alleges?|asserts?|tells|told|asks|asked"
    r"|thinks|thought|wonders?|wants to know|supposedly|allegedly|reportedly|hard to (?:say|tell)|let me (?:check|see)"
    r"|^\W*(?:had|were|should) |with the other|in the other|i (?:do not|don't) (?:think|believe|hear)"
    r"|not true)\b"
)
_GUESS = r"probably|possibly|likely|presumably|maybe|perhaps|i (?:think|believe|guess|suspect|suppose)"
# What follows from what is heard may be a guess though the hearing is none: "as the pitch falls, it may be sad".
_PREMISE = re.compile(r"^\W*(?:because|since|given that|as) [^,]+(?=,)|^[^,]+(?=, (?:so|which|suggesting|neither)\b)")
_HEDGE = re.compile(rf"\b(?:{_GUESS}|hardly|barely|scarcely)\b")
_AFTERTHOUGHT = re.compile(rf"[^,:]*,? (?:{_GUESS})\W*")
_CLAUSE_CHARS = 80  # no clause of interest is longer, and long texts stay linear
_CLAUSE_END = re.compile(r"[,:]| and | but ")
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")  # stops at the next mark, so that many of them cost no square
_S = r" ?s(?:ec(?:onds?)?)?"
_TIMES = (
    re.compile(rf"\b(?:from|between) (?P<start>{NUMBER})(?:{_S})? ?(?:to|and|until|-|–) ?(?P<end>{NUMBER}){_S}\b"),
    re.compile(rf"\b(?:in|during|over|for|within) the (?:first|opening) (?P<end>{NUMBER}){_S}\b"),
    re.compile(rf"\b(?:until|before) (?P<end>{NUMBER}){_S}\b"),
    re.compile(rf"\b(?:after|from) (?P<start>{NUMBER}){_S}\b"),
)
_FIRST_SECOND = re.compile(r"\b(?:in|during|over|for|within) the (?:first|opening) second\b")
_PARTS = {
    "end": re.compile(r"\b(?:at|towards?|near) the end\b|\b(?:in|during) the (?:last|final) second\b"),
    "start": re.compile(r"\b(?:at|in|near) the (?:start|beginning)\b"),
    "first half": re.compile(r"\b(?:in|during|over) the first half\b"),
    "second half": re.compile(r"\b(?:in|during|over) the second half\b"),
}


def statements(text: str) -> Iterator[tuple[str, int]]:
    """The sentences, in lower case, that state something of the sound, each with its place in the text."""
    for sentence in _SENTENCE.finditer(_lowered(text)):
        stated = sentence.group()
        if not _is_statement(stated) and not stated.endswith("?"):
            premise = _PREMISE.search(stated)
            stated = "" if premise is None else premise.group()
        if stated and _is_statement(stated):
            yield stated, sentence.start()


def is_hedged(match: re.Match[str]) -> bool:
    """Whether a word before the match, in it or closing the sentence takes it back; "but" and commas end its reach."""
    rest = match.string[match.end() : match.end() + _CLAUSE_CHARS]
    if len(rest) < _CLAUSE_CHARS and _AFTERTHOUGHT.fullmatch(rest) is not None:
        return True
    first = max(0, match.start() - _CLAUSE_CHARS)
    if _HEDGE.search(match.string, first, match.end()) is None:
        return False
    ends = [end.end() for end in _CLAUSE_END.finditer(match.string, first, match.start())]
    return _HEDGE.search(match.string, ends[-1] if ends else first, match.end()) is not None


def stretch_of(sentence: str) -> Stretch:
    """The time a sentence speaks of."""
    if " s" in sentence or "sec" in sentence:
        for pattern in _TIMES:
            if (found := pattern.search(sentence)) is not None:
                times = found.groupdict()
                end_s = number(times["end"]) if times.get("end") else None
                return Stretch(number(times["start"]) if times.get("start") else 0.0, end_s)
        if _FIRST_SECOND.search(sentence) is not None:
            return Stretch(0.0, 1.0)
    if " the " not in sentence:
        return Stretch()
    return Stretch(part=next((part for part, pattern in _PARTS.items() if pattern.search(sentence)), ""))


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
