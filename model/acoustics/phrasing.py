"""The words that `lexicon` builds its patterns from, and the two shapes of a rule.

Promises fragments of regular expressions for lower-case English, without named groups but for COUNTED and the two
of speakers. Leaves the rules to `lexicon` and `counting`, context to `sentences` and numbers to `numerals`.
"""

import re
from dataclasses import dataclass

from model.acoustics.numerals import NUMBER, ORDINAL


@dataclass(frozen=True)
class Rule:
    """One way to speak of one descriptor."""

    descriptor: str
    triggers: tuple[str, ...]
    """Substrings of which a sentence holds one, or the rule need not be tried."""
    pattern: re.Pattern[str]


NOT = r"(?:(?:does|did|do|is|are|was|has|have)(?: not|n't) |not |never |no longer )?"
HOW = r"(?:(?:very|quite|rather|a bit|a little|somewhat|much|ever|\w+ly) ){0,2}"
SEEMS = r"(?:then |also |keeps |continues to |seems to |appears to |starts to |begins to )?"
BE = (
    r"(?:is|are|was|were|be|being|sounds?|seems?|appears?|stays?|remains?|keeps?|holds?|feels?|has|becomes?"
    r"|ends up|turns out|is pitched|strikes me as|comes across as)"
)
IS = rf"(?:{BE} {NOT}|(?:is|are|was|were)n't )"
GET = r"(?:gets?|grows?|becomes?|got|grew|became|getting|growing|becoming|turns?)"
GETS = rf"{GET} {HOW}(?:\w+er and )?"  # "gets deeper and softer" speaks of two things at once
_MOVE = (
    r"(?:go(?:es|ing)?|went|com(?:es?|ing)|came|mov(?:es?|ing|ed)|glid(?:es?|ing|ed)|slid(?:es?|ing)?|jump(?:s|ing|ed)?"
    r"|creep(?:s|ing)?|crept|shoots?|shot|runs?|ran|running|sweeps?|sweeping|swept|drift(?:s|ing|ed)?|head(?:s|ing|ed)?"
    r"|trend(?:s|ing|ed)?|shift(?:s|ing|ed)?|step(?:s|ping|ped)?|slop(?:es?|ing|ed)|work(?:s|ing|ed)? its way|trails?"
    r"|trailing|bends?|bending|bent|curv(?:es?|ing|ed)|turn(?:s|ing|ed)?|lead(?:s|ing)?|led) (?:back |gradually )?"
)
RISE = rf"(?:ris(?:es|e|ing|en)|rose|{_MOVE}up(?:wards?)?|climb(?:s|ing|ed)?|ascend(?:s|ing|ed)?|soar(?:s|ing|ed)?)"
FALL = (
    rf"(?:fall(?:s|ing|en)?|fell|{_MOVE}down(?:wards?)?|drop(?:s|ping|ped)?|descend(?:s|ing|ed)?"
    r"|s[iau]nk(?:s|ing)?|declin(?:es?|ing|ed)|dip(?:s|ping|ped)?|plung(?:es?|ing|ed))"
)
FROM_LOW = r"from (?:a )?(?:low|lower)(?: \w+)? to (?:a )?high(?:er)?"
FROM_HIGH = r"from (?:a )?high(?:er)?(?: \w+)? to (?:a )?low(?:er)?"
UP = rf"(?:{RISE}|(?:{_MOVE})?{FROM_LOW}|increas(?:es?|ing|ed)|{GETS}higher)"
DOWN = rf"(?:{FALL}|(?:{_MOVE})?{FROM_HIGH}|decreas(?:es?|ing|ed)|{GETS}(?:lower|deeper))"
FLAT = r"(?:level|flat|monotone|monotonous|constant|steady|unchanged)"
EVEN = r"(?:even|steady|constant|unchanged|the same|level|stable)"
UNCHANGING = r"(?:(?:do|does|did)(?: not|n't)|never) (?:really )?(?:chang|var)(?:e|es|y|ies)\b"
SLOW = r"(?:adagio|largo|lento|slow|slowly|unhurried|unhurriedly|leisurely|sluggish)"
FAST = r"(?:allegro|presto|vivace|up-?tempo|fast|quick(?:ly)?|rapid(?:ly)?|hurried(?:ly)?|brisk(?:ly)?|swift(?:ly)?)"
SOFT = r"(?:softer|quieter|fainter|weaker|less loud)"
OF = (
    r"(?: of (?:the|an?|his|her|their|its|this) (?:\w+'s )?(?:voices?|singer|speaker|speech|music|melody|sound|clip"
    r"|recording|song|piece|tune|tone|man|woman|person|child|sentence|utterance|phrase|performance|instrument))?"
)
MELODIC = (
    r"(?:(?:(?:pitch|f0|intonation|melodic|melody)(?: (?:level|contour|track|curve|line|trajectory|pattern))?|tune"
    rf"|inflection|vocal line|contour){OF})"
)
LOUDNESS = (
    r"(?:(?:(?:loudness|volume|amplitude|intensity)(?: envelope| level)?|(?:sound|signal|volume) levels?"
    rf"|(?<=the )levels?|dynamics|envelope){OF})"
)
PULSE = rf"(?:(?:rhythm|beat|pulse|tempo|timing|met(?:er|re)|ticking|groove|spacing){OF})"
PACE = rf"(?:(?:speech|speaker|voice|pace|tempo|rate|delivery|music|melody|tune|song|beat|rhythm|speed|it){OF})"
TIMBRE = rf"(?:(?:sound|timbre|tone|tone colou?r|spectrum|quality|signal|music|voice|noise|recording|audio|it){OF})"
SOUND = (
    r"(?:sound|event|noise|knock|hit|burst|clap|bang|beep|bark|click|tap|thud|crash|chirp|chime|honk|blast|shot"
    r"|ring|tick|pop|slam|cough|blip|ping|squeak|strike|stroke|footstep)"
)
NOTE = r"(?:note|tone|pitch)"
CLIP = (
    r"(?:(?:audio |sound )?(?:clip|file|sample)|recording|audio|track|snippet|thing|piece|melody|tune|music|utterance"
    r"|sentence|excerpt|song|phrase|motif|theme|sequence|scene|it)"
)
COUNTED = (
    r"(?:there (?:is|are|were|was)|there's|(?:i|we|you) (?:can )?(?:hear|count|make out|pick out|distinguish|detect)"
    rf"|{CLIP} (?:contains|has|consists of|is made up of|includes|features|comprises|holds)"
    r"|(?:speaker|he|she|they) (?:makes?|utters?|plays?)) "
    r"(?:exactly |only |just |about |around |roughly |at least |at most |no more than |not more than |up to "
    r"|a total of )?(?:an? (?:sequence|series|succession|run|row|string|group) of )?"
    rf"(?P<number>{NUMBER}) "
)
AUDIBLE = (
    r"(?:(?:is|are|were|can be) (?:heard|audible|played|struck|sounded|present|detected)|in (?:total|all)|altogether"
    r"|sounds?\b|occurs?\b|happens?\b)"
)
ONE_SPEAKER = r"(?P<one>(?:only |just )?(?:one|a single) (?:speaker|person|voice))"
SEVERAL_SPEAKERS = (
    r"(?P<several>(?:two|three|four|several|many|multiple)(?: different| distinct)? (?:speakers|people|persons|voices))"
)
TALK = (
    r"(?:is|are) (?:heard|audible|speaking|talking|conversing|chatting|arguing|having a (?:conversation|chat|talk))"
    r"|speaks?|talks?|converses?|chats?|alternate|takes? turns"
)
ABOUT = (
    r"(?:at )?(?:about |around |roughly |approximately |nearly |near |almost |some |something like |close to "
    r"|just under |just over |more than |less than |over |under |above |below )?(?:at least |at most )?"
)
NOTE_NAME = re.compile(r"\b[a-g](?:#|b)?\d\b")
# A direction that turns ("rises and then falls") is no direction of the whole.
STRAIGHT = (
    rf"(?![^,.]{{0,20}},? (?:and then|then|but then|before|and) (?:it |an? )?{HOW}"
    rf"(?:{RISE}|{FALL}|up|down|higher|lower)\b)"
)
WHOLE = r"(?<!first )(?<!second )(?<!third )(?<!fourth )(?<!last )(?<!final )"  # what one of several does says no more


# Above all others is a superlative, and no comparison with the one before.
ALL_OTHERS = r" than (?:all |any )?(?:of )?(?:the )?(?:others?|rest)\b"


def rule(descriptor: str, triggers: str, pattern: str) -> Rule:
    return Rule(descriptor, tuple(triggers.split("|")), re.compile(pattern))


def compared(descriptor: str, kind: str, triggers: str, more: str, less: str, equal: str) -> Rule:
    """As in "the second sound is louder than the first"; without "than", louder than the one before it."""
    other = rf"(?: (?:than|as) (?:the )?(?:(?P<other>{ORDINAL}|previous|one before)(?: {kind}| one)?))?"
    by = rf"(?:{ABOUT}{NUMBER} ?(?:db|decibels?|semitones?) )?"
    judged = rf"{HOW}{by}(?:(?P<greater>{more})|(?P<less>{less})|(?P<equal>{equal}))"
    verb = rf"(?:{IS}|(?=[^,]{{5,30}} than ))"  # "two knocks, the second louder than the first"
    this = rf"\b(?P<this>{ORDINAL}) (?:{kind} |one )?"
    return rule(descriptor, triggers, rf"{this}{verb}{judged}\b(?!{ALL_OTHERS}){other}")
