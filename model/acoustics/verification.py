"""Claims set against measurements: supported, contradicted or not checkable, each with the measured value.

Promises that what the descriptors abstain on is never held against a claim, and that every verdict carries the number
it rests on. Measures nothing itself beyond cutting contours to the stretch a claim speaks of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from model.acoustics.claims import Claim, Relation
from model.acoustics.descriptors.intonation import direction, pitch_change
from model.acoustics.descriptors.loudness import loudness_change, loudness_label
from model.acoustics.descriptors.pitch import Track, semitone
from model.acoustics.descriptors.values import HOP_S, Descriptor, Descriptors, Segment


class Verdict(StrEnum):
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_CHECKABLE = "not_checkable"


@dataclass(frozen=True)
class Evidence:
    """A claim, what was measured, and what that says of it."""

    claim: Claim
    verdict: Verdict
    measured: str | float | None
    """The number behind a label where there is one (semitones for "rises"); None where nothing was measured."""
    unit: str
    confidence: float


# The number that shows why a label was given.
_SHOWN = {
    "pitch_direction": "pitch_change",
    "register": "pitch_median",
    "loudness_direction": "loudness_change",
    "rate": "onset_rate",
    "brightness": "centroid",
}
_SHARPS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "E#": "F", "B#": "C", "Cb": "B", "Fb": "E"}
_SAME_LOUDNESS_DB, _OTHER_LOUDNESS_DB = 2.5, 4.5
_SAME_PITCH_ST, _OTHER_PITCH_ST = 0.3, 0.6


def verify(claims: Sequence[Claim], descriptors: Descriptors) -> list[Evidence]:
    """One verdict for each claim, in their order."""
    return [_judged(claim, descriptors) for claim in claims]


def _judged(claim: Claim, descriptors: Descriptors) -> Evidence:
    if claim.descriptor == "sound_loudness":
        return _compared(claim, descriptors.sounds, descriptors["event_count"])
    if claim.descriptor == "note_pitch":
        return _compared(claim, descriptors.notes, descriptors["note_count"])
    stretch = _stretch(claim, descriptors.duration_s)
    if stretch is not None:
        return _judged_within(claim, descriptors, *stretch)
    found = descriptors.measured.get(claim.descriptor)
    if found is None or found.abstained or found.value is None:
        return _unknown(claim, _shown(claim.descriptor, descriptors))
    shown = _shown(claim.descriptor, descriptors) or found
    return Evidence(claim, _verdict(claim, found.value), shown.value, shown.unit, found.confidence)


def _shown(name: str, descriptors: Descriptors) -> Descriptor | None:
    return descriptors.measured.get(_SHOWN.get(name, ""))


def _unknown(claim: Claim, shown: Descriptor | None = None) -> Evidence:
    measured, unit = (shown.value, shown.unit) if shown is not None else (None, "")
    return Evidence(claim, Verdict.NOT_CHECKABLE, measured, unit, 0.0)


def _verdict(claim: Claim, measured: str | float) -> Verdict:
    if isinstance(claim.value, str):
        same = str(measured) == _spelled(claim.value)
        return _as_verdict(same is not (claim.relation is Relation.IS_NOT))
    return _as_verdict(_holds(claim, float(measured)))


def _as_verdict(holds: bool) -> Verdict:
    return Verdict.SUPPORTED if holds else Verdict.CONTRADICTED


def _spelled(value: str) -> str:
    """Keys in sharps, as they are measured; every other label as it is."""
    tonic, space, rest = value.partition(" ")
    return f"{_SHARPS.get(tonic, tonic)}{space}{rest}"


def _holds(claim: Claim, measured: float) -> bool:
    claimed = float(claim.value)
    if claim.relation is Relation.AT_LEAST:
        return measured >= claimed - claim.tolerance
    if claim.relation is Relation.AT_MOST:
        return measured <= claimed + claim.tolerance
    # A beat may be felt twice or half as fast as it is measured.
    factors = (1.0, 2.0, 0.5) if claim.descriptor == "tempo" else (1.0,)
    return any(abs(measured * factor - claimed) <= claim.tolerance + 1e-9 for factor in factors)


def _compared(claim: Claim, segments: tuple[Segment, ...], count: Descriptor) -> Evidence:
    """One sound or note against another, by loudness or pitch."""
    this, other = (_at(segments, int(place)) for place in str(claim.value).split(":"))
    if this is None or other is None or count.abstained:
        return _unknown(claim)
    if claim.descriptor == "sound_loudness":
        difference, unit, limits = this.loudness_db - other.loudness_db, "dB", (_SAME_LOUDNESS_DB, _OTHER_LOUDNESS_DB)
    elif this.pitch_hz is None or other.pitch_hz is None:
        return _unknown(claim)
    else:
        difference = semitone(this.pitch_hz) - semitone(other.pitch_hz)
        unit, limits = "semitones", (_SAME_PITCH_ST, _OTHER_PITCH_ST)
    measured = round(difference, 1)
    if limits[0] <= abs(difference) < limits[1]:
        return Evidence(claim, Verdict.NOT_CHECKABLE, measured, unit, 0.0)
    sign = {Relation.GREATER: 1, Relation.LESS: -1}.get(claim.relation, 0)
    holds = difference * sign >= limits[1] if sign else abs(difference) < limits[0]
    return Evidence(claim, _as_verdict(holds), measured, unit, count.confidence)


def _at(segments: tuple[Segment, ...], place: int) -> Segment | None:
    """The place-th segment from 1, or from the end where negative."""
    if place == 0 or abs(place) > len(segments):
        return None
    return segments[place - 1 if place > 0 else place]


def _stretch(claim: Claim, duration_s: float) -> tuple[float, float] | None:
    """The seconds a claim speaks of, or None for the whole clip."""
    if claim.start_s is not None and claim.end_s is not None:
        return claim.start_s, claim.end_s
    parts = {"start": (0.0, 1 / 3), "end": (2 / 3, 1.0), "first half": (0.0, 0.5), "second half": (0.5, 1.0)}
    if claim.part not in parts:
        return None
    first, last = parts[claim.part]
    return first * duration_s, last * duration_s


def _judged_within(claim: Claim, descriptors: Descriptors, start_s: float, end_s: float) -> Evidence:
    """Directions of pitch and loudness inside a stretch; other claims cannot be checked there."""
    span_s = (round(start_s, 3), round(end_s, 3))
    if start_s >= end_s or start_s >= descriptors.duration_s:
        return _unknown(claim)
    if claim.descriptor == "pitch_direction":
        return _pitch_within(claim, descriptors, span_s)
    if claim.descriptor == "loudness_direction":
        return _loudness_within(claim, descriptors, span_s)
    return _unknown(claim)


def _pitch_within(claim: Claim, descriptors: Descriptors, span_s: tuple[float, float]) -> Evidence:
    f0_hz_T = np.array([hz or 0.0 for hz in descriptors.pitch.between(*span_s).values_T], np.float32)
    change = pitch_change(Track(f0_hz_T, np.ones_like(f0_hz_T)), 0, f0_hz_T.size)
    if change is None:
        return _unknown(claim)
    found = direction(change, span_s=span_s, sure=0.8)
    verdict = Verdict.NOT_CHECKABLE if found.value is None else _verdict(claim, found.value)
    return Evidence(claim, verdict, round(change, 1), "semitones", found.confidence)


def _loudness_within(claim: Claim, descriptors: Descriptors, span_s: tuple[float, float]) -> Evidence:
    first, end = (round(moment / HOP_S) for moment in span_s)
    level_db_T = np.array(descriptors.loudness.values_T[first:end], np.float32)
    quietest = float(np.percentile(np.array(descriptors.loudness.values_T), 10))
    change = loudness_change(level_db_T, background_db=quietest) if level_db_T.size else None
    if change is None:
        return _unknown(claim)
    label = loudness_label(change)
    verdict = Verdict.NOT_CHECKABLE if label is None else _verdict(claim, label)
    return Evidence(claim, verdict, round(change, 1), "dB", 0.0 if label is None else 0.7)
