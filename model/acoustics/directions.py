"""The rules of `lexicon` that speak of directions: pitch and loudness that rise, fall or stay.

Promises the same as `lexicon`, whose list begins with these. A direction that turns is no direction of the whole.
"""

from model.acoustics.phrasing import (
    DOWN,
    EVEN,
    FALL,
    FLAT,
    GETS,
    HOW,
    IS,
    LOUDNESS,
    MELODIC,
    NOT,
    OF,
    RISE,
    SEEMS,
    SOFT,
    STRAIGHT,
    UNCHANGING,
    UP,
    WHOLE,
    rule,
)

_MORE, _LESS = r"(?:rise|increase|lift|jump)", r"(?:drop|fall|decrease|dip|decline)"
_PITCHED = rf"(?:{MELODIC}|(?:fundamental frequency|voice|(?<=the )tone|whistle|siren|hum){OF})"
_NOT_LOUDNESS = r"(?! (?:in|to) (?:volume|loudness|intensity|a (?:whisper|murmur|shout))\b)"
_SAME = r"(?:the same|a constant|a steady|a level|one|a single)"
_KEPT = rf"\b(?:at|on|with|in|holds|keeps) {_SAME}"

_ONCE = r"(?![^.]{0,20} (?:then|and) )"  # a rise and then a fall

DIRECTION_RULES = (
    rule(
        "pitch_direction",
        "pitch|intonation|melod|tune|f0|frequency|voice|contour|line|tone|whistle|siren|hum",
        rf"\b{WHOLE}{_PITCHED}(?:: it|:)? {SEEMS}{NOT}{HOW}{IS}?{HOW}"
        rf"(?:(?P<rises>{UP})|(?P<falls>{DOWN})|(?P<level>{FLAT}))\b{STRAIGHT}{_NOT_LOUDNESS}",
    ),
    rule(
        "pitch_direction",
        "rising|ascending|falling|descending|flat|monoton|upward|downward",
        rf"\b{NOT}(?:(?P<rises>rising|ascending|upward)|(?P<falls>falling|descending|downward)|(?P<level>flat|monotonous"
        rf"|monotone)) (?:{MELODIC}|voice|tone)\b",
    ),
    rule(
        "pitch_direction",
        " at the end| towards the end",
        rf"^\s*(?:(?P<rises>{RISE})|(?P<falls>{FALL}))(?= (?:at|towards) the end)",
    ),
    rule(
        "pitch_direction",
        " in pitch| in intonation| in the | in her | in his | in its ",
        rf"\b(?:(?P<rises>{_MORE})|(?P<falls>{_LESS})|(?P<level>no changes?)) in "
        rf"(?:(?:the|her|his|its) )?{MELODIC}{_ONCE}"
        rf"|\b(?:(?P<rises2>{UP})|(?P<falls2>{DOWN})) (?:upwards? |downwards? )?in pitch\b{STRAIGHT}",
    ),
    rule(
        "pitch_direction",
        "pitch|intonation|monotone",
        rf"\b(?:(?P<level>{MELODIC})(?: (?:stays|remains) the same\b(?! as)|(?= {UNCHANGING}))"
        rf"|(?P<level2>{_KEPT} (?:pitch|tone|note)\b(?! as))"
        rf"|(?P<level3>(?:in|is|it's|with) an? {HOW}monotone\b))",
    ),
    rule(
        "pitch_direction",
        "each",
        r"\beach (?:one |note |tone )?(?:is )?(?:a (?:bit|little) )?(?:(?P<rises>higher)|(?P<falls>lower)) than the "
        r"(?:last|previous|one before)\b",
    ),
    rule(
        "loudness_direction",
        "louder|softer|quieter|fainter|weaker|less loud",
        rf"\b{WHOLE}\w+ {SEEMS}{NOT}{HOW}(?:keeps |is |are )?"
        rf"{GETS}(?:(?P<louder>louder)|(?P<softer>{SOFT}))\b(?! than|,? (?:and |but )?then )",
    ),
    rule(
        "loudness_direction",
        "loudness|volume|level|dynamics|intensity",
        rf"\b{LOUDNESS} {SEEMS}{NOT}{HOW}{IS}?{HOW}"
        rf"(?:(?P<louder>{UP}|grows|swells)|(?P<softer>{DOWN}|fades)|(?P<even>{EVEN}))\b{STRAIGHT}",
    ),
    rule(
        "loudness_direction",
        "change|var|volume|loudness|level|intensity",
        rf"\b(?:(?P<even>{LOUDNESS})(?= {UNCHANGING})"
        rf"|(?P<louder>{_MORE} in {LOUDNESS})|(?P<softer>{_LESS} in {LOUDNESS})"
        rf"|(?P<even2>no changes? in (?:the )?{LOUDNESS}|{_KEPT} (?:volume|loudness|level|intensity))\b)",
    ),
    rule(
        "loudness_direction",
        "crescendo|diminuendo|fade|fading|swell|dies|dying|trails|tapers|tails",
        r"\b(?:(?P<softer>decrescendo|diminuendo|fad(?:es|ed|ing)(?! in\b)(?: out| away)?"
        r"|(?:dies|dying|died) (?:down|away)|(?:trails|tapers|tails) (?:off|away))"
        r"|(?P<louder>crescendo|swell(?:s|ed|ing)|fad(?:es|ed|ing) in))\b",
    ),
)
