"""Verdicts on true statements about rendered scenes: nearly all decided ones must be "supported".

The thresholds are a margin below what was measured on thousands of scenes; they catch a world and a measurement that
have drifted apart.
"""

import numpy as np
import pytest

from model.acoustics.claims import extract_claims
from model.acoustics.descriptors import describe
from model.acoustics.verification import Verdict, verify
from model.worlds import Bank, questions, render, sample_scene


@pytest.fixture(scope="module")
def bank() -> Bank:
    return Bank.load()


@pytest.mark.parametrize(
    ("domain", "precision", "coverage"),
    [
        ("speech", 0.94, 0.85),
        ("music", 0.95, 0.85),
        ("events", 0.95, 0.85),
        ("mixed", 0.8, 0.5),
        ("silence", 0.99, 0.99),
    ],
)
def test_true_claims_are_supported(bank, domain, precision, coverage):
    rng = np.random.default_rng(7)
    verdicts = []
    for _ in range(30):
        scene = sample_scene(rng, split="test", words_agree=1 / 3, domain=domain)
        text = " ".join(sorted({item.acoustic_chain for item in questions(scene, rng)}))
        claims = {(claim.descriptor, claim.value): claim for claim in extract_claims(text)}
        found = describe(render(scene, bank))
        verdicts += [evidence.verdict for evidence in verify(list(claims.values()), found)]
    decided = [verdict for verdict in verdicts if verdict is not Verdict.NOT_CHECKABLE]
    assert len(decided) / len(verdicts) >= coverage
    assert decided.count(Verdict.SUPPORTED) / len(decided) >= precision
