"""Claims of reasoning chains against measurements: precision, coverage, contradicted share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.acoustics.claims import extract_claims
from model.acoustics.descriptors.values import Descriptors
from model.acoustics.verification import Evidence, Verdict, verify


@dataclass(frozen=True)
class ClaimScore:
    """Counts over many chains."""

    chains: int = 0
    acoustic_chains: int = 0
    """Chains with at least one checkable claim."""
    supported: int = 0
    contradicted: int = 0
    not_checkable: int = 0

    @property
    def supported_share(self) -> float:
        """Supported among the decided claims (precision); 0 where none was decided."""
        decided = self.supported + self.contradicted
        return self.supported / decided if decided else 0.0

    @property
    def acoustic_share(self) -> float:
        """Chains that make a checkable claim."""
        return self.acoustic_chains / self.chains if self.chains else 0.0

    @property
    def checkable_share(self) -> float:
        """Decided among all claims (coverage)."""
        total = self.supported + self.contradicted + self.not_checkable
        return (self.supported + self.contradicted) / total if total else 0.0


def evidence_of(reasoning: str, descriptors: Descriptors) -> list[Evidence]:
    """Each claim of a chain with its measurement."""
    return verify(extract_claims(reasoning), descriptors)


def score_claims(chains: Iterable[Sequence[Evidence]]) -> ClaimScore:
    """Counts the verdicts of many chains."""
    found = [list(chain) for chain in chains]
    verdicts = [evidence.verdict for chain in found for evidence in chain]
    return ClaimScore(
        chains=len(found),
        acoustic_chains=sum(bool(chain) for chain in found),
        supported=verdicts.count(Verdict.SUPPORTED),
        contradicted=verdicts.count(Verdict.CONTRADICTED),
        not_checkable=verdicts.count(Verdict.NOT_CHECKABLE),
    )
