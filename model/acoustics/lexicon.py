"""How English speaks of what can be measured: the rules behind `claims`.

Promises a closed list of rules over lower-case sentences. A named group that took part names the claimed label (a
trailing digit sets apart two groups of one name); `number`, `place`, `sequence`, `this` and `other` hold counts and
places. It covers every phrase of the nano language and the ordinary variants of it. Leaves context (negation, hedges,
time) to `claims` and `sentences`, the words themselves to `phrasing` and numbers to `numerals`.
"""

from model.acoustics.counting import COUNT_RULES
from model.acoustics.directions import DIRECTION_RULES
from model.acoustics.phrasing import (
    FAST,
    GET,
    HOW,
    IS,
    NOT,
    OF,
    ONE_SPEAKER,
    PACE,
    PULSE,
    SEEMS,
    SEVERAL_SPEAKERS,
    SLOW,
    TALK,
    TIMBRE,
    UNCHANGING,
    rule,
)

_A_PERSON = r"(?:an?|another|one) (?:man|woman|boy|girl|child|male voice|female voice)"

RULES = (
    *DIRECTION_RULES,
    rule(
        "register",
        "voice|pitch|register|speaker",
        rf"\b(?:(?:voice|pitch|register|speaker){OF} {IS}|(?:voice|register): ){HOW}(?:pitched )?(?:\w+ and )?"
        r"(?:(?P<low>low(?:-pitched)?|deep)|(?P<high>high(?:-pitched)?))"
        r"\b(?! (?:volume|energy|intensity))",
    ),
    rule(
        "register",
        "voice|pitch|register|speaker",
        r"\b(?:(?P<low>low|deep|low-pitched)|(?P<high>high|high-pitched))(?:,? (?:and )?\w+)?? "
        r"(?:male |female |pitched )?(?:voice|speaker|(?:speaking )?pitch|register)\b",
    ),
    rule(
        "register",
        "bass|baritone|soprano|falsetto|pitched|tone",
        r"\b(?:(?P<low>bass|baritone)|(?P<high>soprano|falsetto)) (?:voice|singer|speaker|register)\b"
        rf"|\b(?:speaks?|talks?|sings?|speaking|talking|singing) in an? {HOW}"
        r"(?:(?P<low2>low|deep)|(?P<high2>high))(?:-pitched)? tone\b",
    ),
    rule(
        "rate",
        "slow|hurried|leisurely|sluggish|fast|quick|rapid|brisk|swift|adagio|largo|lento|allegro|presto|vivace|tempo",
        rf"\b(?:{PACE} {SEEMS}{NOT}{IS}|{PACE}: ){HOW}(?:spoken |played |moving )?"
        rf"(?:(?P<slow>{SLOW})|(?P<fast>{FAST}))\b",
    ),
    rule(
        "rate",
        "slow|leisurely|unhurried|fast|quick|rapid|brisk|hurried",
        r"\b(?:(?P<slow>slow|leisurely|unhurried|sluggish)|(?P<fast>fast|quick|rapid|brisk|hurried|up-?tempo))"
        r"(?:,? (?:and |but )?\w+)?? "
        r"(?:talker|speaker|speech|pace|tempo|speed|rate|delivery|melody|tune|rhythm|beat|music|song|track|piece)\b",
    ),
    rule(
        "rate",
        "rate|pace|tempo|speed|rush|race|hurr|rattle|drawl|drag",
        rf"\b(?:speech rate|speaking rate|tempo|pace|speed){OF} {NOT}{IS}{HOW}(?:(?P<slow>low)|(?P<fast>high))\b"
        rf"|\b(?:speaker|man|woman|guy|voice|boy|girl|he|she|they) (?:(?P<fast2>rushes|races|hurries|rattles)"
        r"|(?P<slow2>drawls|dawdles)) (?:through|along|off|on|over)\b",
    ),
    rule(
        "rate",
        "speak|talk|play|spoken|come",
        rf"\b(?:speaks|talks|plays|spoken|played|speaking|talking|playing|comes?) {NOT}{HOW}"
        rf"(?:(?P<slow>{SLOW})|(?P<fast>{FAST}))\b",
    ),
    rule(
        "mode",
        "major|minor",
        rf"\b(?:(?:mode|key|scale|chord|triad|tonality|harmony|melody|piece|song|tune) {IS}|(?:mode|tonality): )"
        rf"{HOW}(?:a )?(?P<mode>major|minor)\b",
    ),
    rule(
        "key",
        "major|minor",
        r"\b(?:in (?!a )|in the key of |(?:key|key signature|tonality|tonic|tonal cent(?:er|re))"
        r"(?: is|:| suggests| points to| seems to be| sounds like) )"
        r"(?P<tonic>[a-g](?:#|[- ]sharp|[- ]flat|b)?)[- ](?P<mode>major|minor)\b",
    ),
    rule(
        "mode",
        "major|minor",
        r"\b(?:in (?:a |the )?(?P<mode>major|minor)|(?P<mode2>major|minor)[- ]"
        r"(?:key|mode|scale|triad|chord|tonality|harmony|feel|sound|flavou?r|character|sonority|tune|melody))\b",
    ),
    rule(
        "silence",
        "silen|no sound|nothing|hear any",
        rf"\b(?:(?P<silent>(?:there is|there's|i hear) (?:no sound|nothing(?! but)"
        rf"|(?:only |just |nothing but |pure |complete |total )?silence)"
        rf"|(?:can't|cannot|don't|do not) hear (?:anything|a thing|any sound)"
        rf"|(?:it|clip|recording|audio) {IS}{HOW}silent"
        r"|(?:nothing|no sound) (?:is|can be) (?:heard|audible)))\b"
        r"(?! (?:but|else|except|other|of|(?:after|before|until|from) (?:the|it|that|this|an?))\b)",
    ),
    rule(
        "brightness",
        "bright|brilliant|shrill|tinny|dark|dull|muffled|mellow",
        rf"\b(?:{TIMBRE} {IS}|(?:timbre|tone): ){HOW}(?:\w+ and )?"
        r"(?:(?P<bright>bright|brilliant|shrill|tinny)|(?P<dark>dark|dull|muffled|mellow))\b",
    ),
    rule(
        "brightness",
        "timbre|tone|sound|quality|colo",
        r"\b(?:(?P<bright>bright|brilliant|shrill|tinny)|(?P<dark>dark|dull|muffled))(?:,? (?:and )?\w+)?? "
        r"(?:timbre|tone|sound|sonority|quality|colou?r)\b",
    ),
    rule(
        "brightness_direction",
        "bright|dark|duller",
        rf"\b{TIMBRE} {SEEMS}{NOT}(?:{HOW}{GET} {HOW}(?:(?P<brighter>brighter)|(?P<darker>darker|duller))"
        r"|(?P<brighter2>brightens?)|(?P<darker2>darkens?))\b",
    ),
    rule(
        "tempo_regularity",
        "regular|steady|even|constant|same|stable|consistent|metronomic|strict|erratic|jerky|wobbly",
        rf"\b(?:{PULSE} {SEEMS}{NOT}{IS}|(?:rhythm|beat|timing): ){HOW}"
        r"(?:(?P<regular>regular|steady|even|constant|the same|stable|consistent|metronomic|strict)"
        r"|(?P<irregular>irregular|uneven|unsteady|erratic|jerky|unstable|inconsistent|wobbly))\b",
    ),
    rule(
        "tempo_regularity",
        "tempo|beat|rhythm|spaced",
        rf"\b(?:(?P<regular>{PULSE})(?= {UNCHANGING})|(?P<regular3>no change (?:in|of) (?:the )?tempo)"
        r"|(?P<regular2>(?:evenly|equally|regularly) spaced)|(?P<irregular>(?:unevenly|irregularly) spaced))",
    ),
    rule(
        "tempo_regularity",
        "regular|steady|even|constant|equal",
        rf"\b(?:(?P<regular>regular|steady|even|constant|equal)|(?P<irregular>irregular|uneven|unsteady|unequal)) "
        rf"(?:{PULSE}|intervals)\b",
    ),
    rule(
        "speakers",
        "speaker|people|person|voice",
        rf"\b(?:there (?:is|are) |there's |(?:i|we) (?:can )?hear )(?:{ONE_SPEAKER}|{SEVERAL_SPEAKERS})\b",
    ),
    rule(
        "speakers",
        "speaker|people|person|voice|man|woman|boy|girl",
        rf"\b(?:{ONE_SPEAKER}|{SEVERAL_SPEAKERS}|(?P<several2>{_A_PERSON} and {_A_PERSON})) (?:{TALK})\b",
    ),
    *COUNT_RULES,
)
