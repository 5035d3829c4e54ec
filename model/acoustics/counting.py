"""The rules of `lexicon` that speak of counts, measures and places: "three sounds", "120 bpm", "the last is loudest".

Promises the same as `lexicon`, whose list ends with these.
"""

from model.acoustics.numerals import NUMBER, ORDINAL
from model.acoustics.phrasing import (
    ABOUT,
    ALL_OTHERS,
    AUDIBLE,
    BE,
    CLIP,
    COUNTED,
    HOW,
    NOTE,
    OF,
    SOFT,
    SOUND,
    compared,
    rule,
)

_STRUCK = r"(?:note|tone|hit|beat|sound)"
_PITCHED = r"[a-g](?:#|b)?\d"
_VOICED = r"(?:(?:low|high|deep|steady|constant|level|median|mean|average) )"
_LIES = (
    r"(?:(?:is|sounds|measures|equals|=|lies|sits|hovers|stays|remains|averages|centres|centers|of)"
    r" (?:steady |constant |level )?)?"
)
_ALONE = (
    rf"(?! of\b|,? (?:and|then|followed by|plus) (?:then )?(?:an? |{NUMBER}\b))"  # "three knocks and a bang" are four
)
_NEXT = r"(?: ?, (?:and |then )?| and | then | )"

COUNT_RULES = (
    rule("event_count", "", rf"\b{COUNTED}(?:\w+ )?{SOUND}(?:s|es)?\b{_ALONE}"),
    rule("event_count", "", rf"\b(?P<number>{NUMBER}) (?:\w+ )?{SOUND}(?:s|es)? {AUDIBLE}"),
    rule("note_count", "note|tone", rf"\b{COUNTED}(?:\w+ )?(?:note|tone)s?\b"),
    rule("note_count", "note|tone", rf"\b(?P<number>{NUMBER}) (?:\w+ )?(?:note|tone)s? {AUDIBLE}"),
    rule(
        "event_count",
        "total|altogether|in all|overall",
        rf"\b(?:a total of|altogether|in total|in all|overall),? (?P<number>{NUMBER}) "
        rf"(?:\w+ )?{SOUND}(?:s|es)?\b{_ALONE}",
    ),
    rule("event_count", "number of", rf"\bnumber of (?:sound|event|noise)s (?:is|equals|:) (?P<number>{NUMBER})\b"),
    rule("note_count", "number of", rf"\bnumber of notes (?:is|equals|:) (?P<number>{NUMBER})\b"),
    rule("note_count", "over", rf"\bover (?P<number>{NUMBER}) notes\b"),
    rule("onset_count", "onset", rf"\b(?P<number>{NUMBER}) onsets?\b"),
    rule("pause_count", "pause", rf"\b{COUNTED}(?:\w+ )?pauses?\b"),
    rule("pause_count", "pauses", rf"\bpauses (?:only )?(?P<number>once|twice|{NUMBER} times)\b"),
    rule("pause_count", "pause", r"(?:(?<=not )|(?<=n't )|(?<=never ))(?P<none>pauses?)\b(?! (?:for|between|long))"),
    rule(
        "pause_count",
        "without",
        r"\b(?P<none>without (?:an?y? |a single )?(?:paus(?:es?|ing)|breaks?|interruptions?))\b",
    ),
    compared(
        "sound_loudness",
        SOUND,
        "loud|softer|quieter|fainter|weaker|volume|intense",
        "louder|more (?:loud|intense|volume)",
        f"{SOFT}|less volume",
        "(?:just |about |roughly )?as loud",
    ),
    compared(
        "note_pitch",
        NOTE,
        "higher|lower|the same|as high",
        "higher(?: in pitch)?",
        "lower(?: in pitch)?",
        "the same|as high",
    ),
    rule(
        "note_pitch",
        "above|below",
        rf"\b(?P<this>{ORDINAL}) {NOTE} (?:is|lies|sits|ends|falls) {HOW}(?:(?P<greater>above)|(?P<less>below)) "
        rf"(?:the )?(?P<other>{ORDINAL})\b",
    ),
    rule(
        "sound_loudness",
        "equally loud",
        rf"\b(?P<this>{ORDINAL}) and (?:the )?(?P<other>{ORDINAL}) {SOUND}?(?:s|es)? {BE} (?P<equal>equally loud)\b",
    ),
    *(
        rule(
            descriptor,
            "compared|relative",
            rf"\b(?:compared (?:to|with)|relative to) the (?P<other>{ORDINAL})(?: {kind}| one)?,? "
            rf"the (?P<this>{ORDINAL}) (?:{kind} |one )?{BE} {HOW}(?:(?P<greater>{more})|(?P<less>{less}))\b",
        )
        for descriptor, kind, more, less in (
            ("sound_loudness", SOUND, "louder", SOFT),
            ("note_pitch", NOTE, "higher", "lower"),
        )
    ),
    *(
        rule(
            f"{word}_sound",
            f"{other}|{more.strip('(?:)')}",
            rf"\b(?:(?P<place>{ORDINAL}) (?:{SOUND} )?{BE} (?:clearly |by far )?the (?:{other})"
            rf"|(?:{other}) {SOUND} {BE} the (?P<place2>{ORDINAL})"
            rf"|(?P<place3>{ORDINAL}) (?:{SOUND} )?{BE} {HOW}(?:{more}){ALL_OTHERS})\b",
        )
        for word, other, more in (
            ("loudest", "loudest", "louder"),
            ("softest", "softest|quietest|faintest|weakest", SOFT),
        )
    ),
    *(
        rule(
            f"{word}_note",
            f"{word}|{more}",
            rf"\b(?:(?P<place>{ORDINAL}) {NOTE} {BE} (?:clearly )?the {word}"
            rf"|{word} {NOTE} {BE} the (?P<place2>{ORDINAL})"
            rf"|(?P<place3>{ORDINAL}) {NOTE} {BE} {HOW}{more}{ALL_OTHERS})\b",
        )
        for word, more in (("highest", "higher"), ("lowest", "lower"))
    ),
    rule(
        "accents",
        "accent|emphasi|stress",
        rf"\b(?:(?P<place>{ORDINAL}) {_STRUCK} {BE} (?:clearly |strongly )?(?:accented|emphasi[sz]ed|stressed)"
        rf"|(?:accent|emphasis|stress) (?:is |falls |lies )?on the (?P<place2>{ORDINAL}) {_STRUCK})\b",
    ),
    rule("tempo", "bpm|beats", rf"(?P<number>\b{NUMBER}) ?(?:bpm|beats (?:per|a) minute)\b"),
    rule("onset_rate", "second", rf"(?P<number>\b{NUMBER}) (?:syllables|notes|onsets) (?:per|a|each) second\b"),
    rule(
        "pitch_median",
        "hz|hertz",
        rf"\b(?:(?:pitch|f0|fundamental(?: frequency)?){OF}"
        rf"|(?:a|the|an|his|her|its) {_VOICED}?(?:voice|tone|pitch){OF}),? {_LIES}{ABOUT}"
        rf"(?P<number>{NUMBER}) ?(?:hz|hertz)\b",
    ),
    rule(
        "snr",
        "snr|noise",
        rf"\b(?:snr|signal[- ]to[- ]noise(?: ratio)?) {BE} {ABOUT}(?P<number>{NUMBER}) ?(?:db|decibels)\b",
    ),
    rule(
        "note_sequence",
        "notes|melody|tune",
        rf"\b(?:notes|melody|tune) (?:are:? |played are |goe?s? |is )?(?P<sequence>{_PITCHED}(?:{_NEXT}{_PITCHED})+)\b",
    ),
    rule(
        "duration",
        "second| s",
        rf"\b{CLIP} (?:lasts?(?: for)?|takes|is|runs for|goes on for|has a (?:duration|length) of) {ABOUT}"
        rf"(?P<number>{NUMBER}) ?(?:s|sec|seconds?)(?: long)?\b",
    ),
    rule(
        "duration",
        "duration|length",
        rf"\b(?:duration|(?:total|overall) length){OF} {BE} {ABOUT}(?P<number>{NUMBER}) ?(?:s|sec|seconds?)\b",
    ),
)
