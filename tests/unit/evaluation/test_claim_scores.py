"""Claims of chains against measurements: precision, coverage, acoustic share."""

import numpy as np
import pytest

from model.acoustics.claims import extract_claims
from model.acoustics.descriptors.describe import describe
from model.acoustics.verification import Evidence, Verdict
from model.evaluation.claims import ClaimScore, evidence_of, score_claims

(CLAIM,) = extract_claims("the pitch rises .")


def chain(*verdicts: Verdict) -> list[Evidence]:
    return [Evidence(claim=CLAIM, verdict=v, measured=None, unit="label", confidence=1.0) for v in verdicts]


def test_shares_by_hand() -> None:
    yes, no, open_ = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_CHECKABLE
    score = score_claims([chain(yes, yes, no), chain(open_), chain(), chain(yes)])
    assert score == ClaimScore(chains=4, acoustic_chains=3, supported=3, contradicted=1, not_checkable=1)
    assert score.supported_share == pytest.approx(3 / 4)
    assert score.checkable_share == pytest.approx(4 / 5)
    assert score.acoustic_share == pytest.approx(3 / 4)


def test_nothing_said_is_no_division() -> None:
    for score in (score_claims([]), score_claims([chain()])):
        assert (score.supported_share, score.checkable_share, score.acoustic_share) == (0, 0, 0)


def test_evidence_of_a_chain_is_measured_on_the_clip() -> None:
    phase_N = 2 * np.pi * np.cumsum(np.geomspace(150, 300, 16_000)) / 16_000
    rising = describe((0.3 * np.sin(phase_N)).astype(np.float32))
    evidence = evidence_of("the pitch rises . the pitch falls . so the answer is cheerful .", rising)
    assert [one.verdict for one in evidence] == [Verdict.SUPPORTED, Verdict.CONTRADICTED]
    assert evidence_of("the words say we won .", rising) == []
