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

_MORE, _LESS = r"(?:rise|increase|lift|jump|growth)", r"(?:drop|fall|decrease|dip|decline|reduction)"
_RISING = r"(?:rising|ascending|upward|climbing|increasing)"
_FALLING = r"(?:falling|descending|downward|declining|dropping|sinking|decreasing)"
_SHAPE = r"(?:trend|slope|contour|shape|movement|motion|path|line|pattern|trajectory|inflection|glide|slide|tendency)"
_LOUD, _QUIET = r"(?:loud|loudly|louder|strong|forte)", r"(?:quiet|quietly|quieter|soft|softly|softer|faint|weak|piano)"
_OPENS = r"(?:starts?|begins?|opens?)(?: out| off)? "
_CLOSES = r",? (?:and|but|then|and then) (?:ends?|finishes|closes|grows|becomes|gets)(?: up)? (?:more )?"
_ONWARD = r"(?! and (?:then )?(?:back|again))"
_PITCHED = (
    rf"(?:{MELODIC}|(?:fundamental frequency|voice|(?:(?<=the )|(?<=her )|(?<=his )|(?<='s ))tone|whistle|siren|hum)"
    rf"{OF})"
)
_PHRASED = r"(?:line|scale|arpeggio|theme|motif|cadence|notes)"
_NOT_LOUDNESS = r"(?! (?:in|to) (?:volume|loudness|intensity|a (?:whisper|murmur|shout))\b)"
_SAME = r"(?:the same|a constant|a steady|a level|one|a single)"
_KEPT = rf"\b(?:at|on|with|in|holds|keeps) {_SAME}"

_SHRINKS = r"(?:fades|decays?|tapers?|dwindles?|diminish(?:es)?|wanes?|subsides?|shrinks?|lessens?|weakens?)"
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
        "line|scale|arpeggio|theme|motif|cadence|notes",
        rf"\b{WHOLE}{_PHRASED} {SEEMS}{NOT}{HOW}"
        rf"(?:(?P<rises>{RISE}|is {_RISING})|(?P<falls>{FALL}|is {_FALLING}))\b{STRAIGHT}",
    ),
    rule(
        "pitch_direction",
        "trend|slope|contour|shape|movement|motion|path|line|pattern|trajectory|inflection|glide|slide|tendency",
        rf"\b{_PITCHED} (?:shows|has|follows|traces|takes|exhibits|displays|is|makes|with) an? {HOW}"
        rf"(?:(?P<rises>{_RISING})|(?P<falls>{_FALLING})|(?P<level>flat|level)) (?:{_SHAPE}|one)\b",
    ),
    rule(
        "pitch_direction",
        "rising|ascending|falling|descending|flat|monoton|upward|downward|climbing",
        rf"\b{NOT}(?:(?P<rises>rising|ascending|upward|climbing)|(?P<falls>falling|descending|downward)"
        rf"|(?P<level>flat|monotonous|monotone)) (?:{MELODIC}|voice|tone)\b",
    ),
    rule(
        "pitch_direction",
        "pitch|intonation",
        rf"\b(?:(?P<level>(?:no|little|almost no|hardly any|barely any) {MELODIC} (?:variation|changes?|movement))"
        rf"|(?P<level2>{MELODIC} (?:does not|doesn't|never) move))\b",
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
        rf"|(?P<level3>(?:in|is|it's|with) an? {HOW}monotone\b)"
        rf"|(?P<level4>pitch-wise,? nothing {HOW}(?:changes|happens|moves)))",
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
        rf"(?:(?P<louder>{UP}|grows|swells|builds?(?: up)?|ramps up)|(?P<softer>{DOWN}|{_SHRINKS})"
        rf"|(?P<even>{EVEN}))\b{STRAIGHT}",
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
    rule(
        "loudness_direction",
        "loud|quiet|soft|faint|weak|strong|piano|forte",
        rf"\b(?:(?P<louder>(?:{_OPENS}(?:{HOW}){_QUIET}{_CLOSES}|from {_QUIET} to ){_LOUD})"
        rf"|(?P<softer>(?:{_OPENS}(?:{HOW}){_LOUD}{_CLOSES}|from {_LOUD} to ){_QUIET}))\b{_ONWARD}",
    ),
)
