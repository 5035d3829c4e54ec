"""What clients say about sound: descriptors, claims, and claims with their evidence."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the measurement says of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_CHECKABLE = "not_checkable"


@dataclass(frozen=True)
class Claim:
    """A checkable statement about sound, found in a text."""

    descriptor: str
    relation: str
    value: str
    tolerance: float
    start_s: float | None
    """Start of the span of sound it is about; None where it is about the whole clip."""
    end_s: float | None
    text: str
    """Its words as they stand in the text, from `text_start` to `text_end`."""
    text_start: int
    text_end: int


@dataclass(frozen=True)
class Evidence:
    """A claim with its measurement and verdict."""

    claim: Claim
    verdict: Verdict
    measured: str
    """Empty where nothing was measured."""
    unit: str
    confidence: float
    """0 to 1."""


@dataclass(frozen=True)
class Descriptor:
    """One measured property of a clip."""

    name: str
    value: str
    unit: str
    confidence: float
    start_s: float
    end_s: float
    abstained: bool
    reason: str
    """Why the measurement abstains."""
