"""How English speaks of what can be measured: the patterns behind `claims`.

Promises a closed list of rules over lower-case sentences, each with the substrings without which it need not be tried.
A named group that took part names the claimed label; `number`, `this` and `other` hold a count and two places.
It covers every phrase of the nano language and the ordinary variants of it. Leaves context (negation, hedges, time)
to `claims` and numbers to `numerals`.
"""

import re
from dataclasses import dataclass

from model.acoustics.numerals import NUMBER, ORDINAL


@dataclass(frozen=True)
class Rule:
    """One way to speak of one descriptor."""

    descriptor: str
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]


_NOT = r"(?:(?:does|did|do|is|are|was|has|have)(?: not|n't) |not |never |no longer )?"
_HOW = r"(?:(?:very|quite|rather|a bit|a little|somewhat|much|\w+ly) ){0,2}"
_SEEMS = r"(?:then |also |seems to |appears to |starts to |begins to )?"
_BE = r"(?:is|are|was|were|be|being|sounds|seems|appears|stays|stay|remains|remain|keeps|feels|has|become|becomes)"
_GET = r"(?:gets?|grows?|becomes?|getting|growing|becoming|turns?)"
_RISE = r"(?:ris(?:es|e|ing)|rose|go(?:es)? up(?:wards?)?|going up(?:wards?)?|climb(?:s|ing)?|ascend(?:s|ing)?)"
_FALL = (
    r"(?:fall(?:s|ing)?|fell|go(?:es)? down(?:wards?)?|going down(?:wards?)?|drop(?:s|ping|ped)?|descend(?:s|ing)?"
    r"|sink(?:s|ing)?|declin(?:es|ing))"
)
_UP, _DOWN = rf"(?:{_RISE}|increas(?:es|ing)|{_GET} higher)", rf"(?:{_FALL}|decreas(?:es|ing)|{_GET} lower)"
_FLAT = r"(?:level|flat|monotone|monotonous|constant|steady|unchanged)"
_EVEN = r"(?:even|steady|constant|unchanged|the same|level|stable)"
_SLOW = r"(?:slow|slowly|unhurried|leisurely)"
_FAST = r"(?:fast|quick|quickly|rapid|rapidly|hurried)"
_SOFT = r"(?:softer|quieter|fainter)"
_MELODIC = r"(?:pitch|intonation|melody|tune|f0|pitch contour|melodic line|melodic contour|contour)"
_LOUDNESS = r"(?:loudness|volume|sound level|dynamics|intensity)"
_PACE = r"(?:speech|speaker|voice|pace|tempo|rate|delivery|music|melody|tune|song|beat|rhythm|it)"
_TIMBRE = r"(?:sound|timbre|tone|music|voice|it)"
_SOUND = r"(?:sound|event|noise|knock|hit|burst)"
_NOTE = r"(?:note|tone|pitch)"
_COUNTED = (
    r"(?:there (?:is|are|were|was)|there's|(?:i|we) (?:can )?(?:hear|count)"
    r"|(?:clip|recording|audio|melody|tune|piece|music|phrase|it) (?:contains|has|consists of)) "
    r"(?:exactly |only |about |around |roughly |at least |at most )?"
    rf"(?P<number>{NUMBER}) "
)
# A direction that turns ("rises and then falls") is no direction of the whole.
_STRAIGHT = rf"(?!,? (?:and then|then|but then|before|and) (?:it )?{_HOW}(?:{_RISE}|{_FALL})\b)"


def _rule(descriptor: str, triggers: str, pattern: str) -> Rule:
    return Rule(descriptor, tuple(triggers.split("|")), re.compile(pattern))


def _compared(descriptor: str, kind: str, triggers: str, more: str, less: str, equal: str) -> Rule:
    """As in "the second sound is louder than the first"; without "than", louder than the one before it."""
    other = rf"(?: (?:than|as) (?:the )?(?:(?P<other>{ORDINAL}|previous|one before)(?: {kind})?))?"
    judged = rf"{_BE} {_NOT}{_HOW}(?:(?P<greater>{more})|(?P<less>{less})|(?P<equal>{equal}))"
    return _rule(descriptor, triggers, rf"\b(?P<this>{ORDINAL}) (?:{kind} )?{judged}\b{other}")


RULES = (
    _rule(
        "pitch_direction",
        "pitch|intonation|melod|tune|f0|voice|contour",
        rf"\b(?:{_MELODIC}|voice) {_SEEMS}{_NOT}{_HOW}(?:{_BE} {_NOT})?{_HOW}"
        rf"(?:(?P<rises>{_UP})|(?P<falls>{_DOWN})|(?P<level>{_FLAT}))\b{_STRAIGHT}",
    ),
    _rule(
        "pitch_direction",
        "rising|ascending|falling|descending|flat|monoton|upward|downward",
        rf"\b{_NOT}(?:(?P<rises>rising|ascending|upward)|(?P<falls>falling|descending|downward)|(?P<level>flat|monotonous"
        rf"|monotone)) (?:{_MELODIC}|voice)\b",
    ),
    _rule(
        "pitch_direction",
        " at the end| towards the end",
        rf"^\s*(?:(?P<rises>{_RISE})|(?P<falls>{_FALL}))(?= (?:at|towards) the end)",
    ),
    _rule(
        "register",
        "voice|pitch|register|speaker",
        rf"\b(?:voice|pitch|register|speaker) {_BE} {_NOT}{_HOW}"
        r"(?:(?P<low>low(?:-pitched)?|deep)|(?P<high>high(?:-pitched)?))"
        r"\b(?! (?:volume|energy|intensity))",
    ),
    _rule(
        "register",
        "voice|low-pitched|high-pitched|speaker",
        r"\b(?:(?P<low>low|deep|low-pitched)|(?P<high>high|high-pitched)) "
        r"(?:male |female |pitched )?(?:voice|speaker)\b",
    ),
    _rule(
        "loudness_direction",
        "louder|softer|quieter|fainter",
        rf"\b(?:it|sound|music|voice|speech|volume|clip|melody|speaker) {_SEEMS}{_NOT}{_HOW}(?:keeps |is )?"
        rf"{_GET} {_HOW}(?:(?P<louder>louder)|(?P<softer>{_SOFT}))\b(?! than)",
    ),
    _rule(
        "loudness_direction",
        "loudness|volume|sound level|dynamics|intensity",
        rf"\b{_LOUDNESS} {_SEEMS}{_NOT}{_HOW}(?:{_BE} {_NOT})?{_HOW}"
        rf"(?:(?P<louder>{_UP}|grows)|(?P<softer>{_DOWN}|fades)|(?P<even>{_EVEN}))\b{_STRAIGHT}",
    ),
    _rule(
        "loudness_direction",
        "crescendo|diminuendo|fades|fading|swells",
        r"\b(?:(?P<softer>decrescendo|diminuendo|fad(?:es|ing) (?:out|away))"
        r"|(?P<louder>crescendo|swells|fad(?:es|ing) in))\b",
    ),
    _rule(
        "rate",
        "slow|unhurried|leisurely|fast|quick|rapid|hurried",
        rf"\b{_PACE} {_SEEMS}{_NOT}{_BE} {_NOT}{_HOW}(?:spoken |played |moving )?"
        rf"(?:(?P<slow>{_SLOW})|(?P<fast>{_FAST}))\b",
    ),
    _rule(
        "rate",
        "slow|fast|quick|rapid",
        r"\b(?:(?P<slow>slow)|(?P<fast>fast|quick|rapid)) "
        r"(?:speech|pace|tempo|rate|delivery|melody|rhythm|beat|music)\b",
    ),
    _rule(
        "rate",
        "speaks|talks|plays|spoken|played",
        rf"\b(?:speaks|talks|plays|spoken|played) {_NOT}{_HOW}(?:(?P<slow>{_SLOW})|(?P<fast>{_FAST}))\b",
    ),
    _rule("mode", "mode|key|scale", rf"\b(?:mode|key|scale) {_BE} {_NOT}{_HOW}(?P<mode>major|minor)\b"),
    _rule(
        "key",
        "major|minor",
        r"\b(?:in (?!a )|in the key of |key is )(?P<tonic>[a-g](?:#| sharp| flat|b)?) (?P<mode>major|minor)\b",
    ),
    _rule(
        "mode",
        "major|minor",
        r"\b(?:in (?:a |the )?(?P<mode>major|minor)\b|(?P<mode2>major|minor) (?:key|mode|scale|triad)\b)",
    ),
    _rule(
        "silence",
        "silen|no sound|nothing",
        rf"\b(?:(?P<silent>(?:there is|there's|i hear) (?:no sound|nothing|(?:only |complete |total )?silence)"
        rf"|(?:it|clip|recording|audio) {_BE} {_NOT}{_HOW}silent))\b(?! but)",
    ),
    _rule("event_count", "sound|event|noise|knock|hit|burst", rf"\b{_COUNTED}(?:\w+ )?{_SOUND}s?\b"),
    _rule("note_count", "note|tone", rf"\b{_COUNTED}(?:\w+ )?(?:note|tone)s?\b"),
    _rule("onset_count", "onset", rf"\b(?P<number>{NUMBER}) onsets?\b"),
    _rule(
        "brightness",
        "bright|brilliant|shrill|dark|dull|muffled|mellow",
        rf"\b{_TIMBRE} {_BE} {_NOT}{_HOW}(?:(?P<bright>bright|brilliant|shrill)|(?P<dark>dark|dull|muffled|mellow))\b",
    ),
    _rule(
        "brightness", "timbre|tone", r"\b(?:(?P<bright>bright|brilliant)|(?P<dark>dark|dull|muffled)) (?:timbre|tone)\b"
    ),
    _compared("sound_loudness", _SOUND, "loud|softer|quieter|fainter", "louder", _SOFT, "(?:just )?as loud"),
    _compared("note_pitch", _NOTE, "higher|lower|the same|as high", "higher", "lower", "the same|as high"),
    _rule("tempo", "bpm|beats", rf"(?P<number>\b{NUMBER}) ?(?:bpm|beats (?:per|a) minute)\b"),
    _rule(
        "duration",
        "second",
        rf"\b(?:lasts?|takes|is) (?:about |around |roughly )?(?P<number>{NUMBER}) seconds?(?: long)?\b",
    ),
)
