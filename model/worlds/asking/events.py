"""Questions about environmental sounds: which, how many, in what order, how loud."""

from __future__ import annotations

from collections import Counter

from model.worlds import lexicon, phrases
from model.worlds.items import Asker, Item
from model.worlds.scenes import Event
from model.worlds.truths import comparison

USUAL_COUNT = "three"
ASK_REPEATED = 0.7
RELATIONS = {"louder": "louder", "softer": "softer", "equal": "equally loud"}


def event_items(ask: Asker) -> list[Item]:
    """Every question that fits a sequence of events."""
    events = ask.scene.events()
    return [
        *_ends(ask, events),
        _count(ask, events),
        _compare(ask, events),
        *_neighbours(ask, events),
        *_loudest(ask, events),
        *_tallies(ask, events),
    ]


def heard(events: tuple[Event, ...], *more: str) -> list[str]:
    """What is heard in order, the count, and a comparison where the chain stays short."""
    crowded = len(events) == lexicon.MAX_EVENTS and more
    return [*_listed(events), *([] if crowded else phrases.first_difference(events)), *more]


def _heard_comparing(events: tuple[Event, ...], later: int) -> list[str]:
    """The same with one comparison in particular, if those two differ."""
    asked = phrases.compared(events, later)
    return [*_listed(events), *(asked or phrases.first_difference(events))]


def _listed(events: tuple[Event, ...]) -> list[str]:
    return [phrases.heard_events(events), phrases.sounds(len(events))]


def _usually(label: str) -> str:
    return f"after {phrases.named(label)} usually comes {phrases.named(lexicon.USUAL_NEXT[label])} ."


def _ends(ask: Asker, events: tuple[Event, ...]) -> list[Item]:
    first, last = events[0].label, events[-1].label
    usual_first = _usual_before(events[1].label)
    return [
        ask.item(
            "first_event",
            1,
            ("what is the first sound ?", "which sound comes first ?"),
            first,
            heard=heard(events),
            expected=[_usually(usual_first)],
            guess=usual_first,
            values=lexicon.EVENTS,
        ),
        ask.item(
            "last_event",
            1,
            ("what is the last sound ?", "which sound comes last ?"),
            last,
            heard=heard(events),
            expected=[_usually(events[-2].label)],
            guess=lexicon.USUAL_NEXT[events[-2].label],
            values=lexicon.EVENTS,
        ),
    ]


def _usual_before(label: str) -> str:
    followed = [name for name, follower in lexicon.USUAL_NEXT.items() if follower == label]
    return followed[0] if followed else lexicon.EVENTS[0]


def _count(ask: Asker, events: tuple[Event, ...]) -> Item:
    return ask.item(
        "event_count",
        1,
        ("how many sounds are there ?", "how many sounds do you hear ?"),
        lexicon.NUMBERS[len(events)],
        heard=heard(events),
        expected=[f"most scenes have {USUAL_COUNT} sounds ."],
        guess=USUAL_COUNT,
    )


def _compare(ask: Asker, events: tuple[Event, ...]) -> Item:
    first, second = events[:2]
    usual = {
        (False, True): "louder",
        (True, False): "softer",
    }.get(
        (first.label in lexicon.USUALLY_LOUD, second.label in lexicon.USUALLY_LOUD),
        "equally loud",
    )
    relation = RELATIONS[comparison(first, second)]
    return ask.item(
        "event_loudness",
        2,
        (
            "is the second sound louder or softer than the first ?",
            "how loud is the second sound against the first ?",
        ),
        relation,
        heard=_heard_comparing(events, 1),
        expected=[_loudness_habit(first.label), _loudness_habit(second.label)],
        guess=usual,
    )


def _loudness_habit(label: str) -> str:
    habit = "loud" if label in lexicon.USUALLY_LOUD else "soft"
    return f"{phrases.named(label)} is usually {habit} ."


def _unique(events: tuple[Event, ...]) -> list[int]:
    """Places of events whose kind sounds once."""
    tally = Counter(event.label for event in events)
    return [place for place, event in enumerate(events) if tally[event.label] == 1]


def _neighbours(ask: Asker, events: tuple[Event, ...]) -> list[Item]:
    items = []
    leading = [place for place in _unique(events) if place + 1 < len(events)]
    if leading:
        items.append(_after(ask, events, leading[int(ask.rng.integers(len(leading)))]))
    following = [place for place in _unique(events) if place > 0]
    if following:
        items.append(_just_before(ask, events, following[int(ask.rng.integers(len(following)))]))
    return items


def _after(ask: Asker, events: tuple[Event, ...], place: int) -> Item:
    label, answer = events[place].label, events[place + 1].label
    return ask.item(
        "event_after",
        2,
        (f"what comes after the {label} ?", f"which sound follows the {label} ?"),
        answer,
        heard=heard(events),
        expected=[_usually(label)],
        guess=lexicon.USUAL_NEXT[label],
        values=lexicon.EVENTS,
    )


def _just_before(ask: Asker, events: tuple[Event, ...], place: int) -> Item:
    label, answer = events[place].label, events[place - 1].label
    usual = _usual_before(label)
    return ask.item(
        "event_before",
        2,
        (f"what comes before the {label} ?", f"which sound is just before the {label} ?"),
        answer,
        heard=heard(events),
        expected=[f"{phrases.named(usual)} usually comes before {phrases.named(label)} ."],
        guess=usual,
        values=lexicon.EVENTS,
    )


def _loudest(ask: Asker, events: tuple[Event, ...]) -> list[Item]:
    loud = [place for place, event in enumerate(events) if event.gain_db == lexicon.LOUD_DB]
    if len(loud) != 1 or loud[0] + 1 == len(events):
        return []
    place, short = loud[0], len(events) < lexicon.MAX_EVENTS
    usually_loud = [event.label for event in events[:-1] if event.label in lexicon.USUALLY_LOUD]
    expected = usually_loud[0] if usually_loud else events[0].label
    return [
        ask.item(
            "after_loudest",
            3,
            ("what comes right after the loudest sound ?", "which sound follows the loudest one ?"),
            events[place + 1].label,
            heard=[
                *_heard_comparing(events, max(place, 1)),
                f"the {lexicon.ORDINALS[place]} sound is the loudest ." if short else "",
            ],
            expected=[_loudness_habit(expected), _usually(expected)],
            guess=lexicon.USUAL_NEXT[expected],
            values=lexicon.EVENTS,
        )
    ]


def _tallies(ask: Asker, events: tuple[Event, ...]) -> list[Item]:
    """How many of one kind, and how many more than of another.

    Repeated kinds are asked about more often, or the answer would mostly be one, and mostly zero.
    """
    tally = Counter(event.label for event in events)
    (common, most), *others = tally.most_common()
    repeated = ask.rng.random() < ASK_REPEATED
    asked = common if repeated else list(tally)[int(ask.rng.integers(len(tally)))]
    items = [
        ask.item(
            "count_of",
            3,
            (
                f"how often do you hear {phrases.named(asked)} ?",
                f"how many times is there {phrases.named(asked)} ?",
            ),
            lexicon.NUMBERS[tally[asked]],
            heard=heard(events),
            expected=[f"{phrases.named(asked)} usually comes once ."],
            guess="one",
        )
    ]
    if others and (most > 1 or not repeated):
        rare, least = others[-1]
        items.append(_difference(ask, events, (common, most), (rare, least)))
    return items


def _difference(ask: Asker, events: tuple[Event, ...], more: tuple[str, int], less: tuple[str, int]) -> Item:
    difference = more[1] - less[1]
    many, few = phrases.plural(more[0]), phrases.plural(less[0])
    return ask.item(
        "how_many_more",
        3,
        (
            f"how many more {many} than {few} are there ?",
            f"how many more {many} than {few} do you hear ?",
        ),
        lexicon.NUMBERS[difference],
        heard=heard(
            events,
            f"{lexicon.NUMBERS[more[1]]} minus {lexicon.NUMBERS[less[1]]} is {lexicon.NUMBERS[difference]} .",
        ),
        expected=["both usually come once ."],
        guess="zero",
    )
