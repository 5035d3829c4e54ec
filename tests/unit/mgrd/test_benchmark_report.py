"""The page of results: every figure a row, failures named."""

from benchmarks.__main__ import Outcome, measure, report
from benchmarks.figures import against_goal


def test_the_page_has_a_row_for_each_figure_and_names_failures() -> None:
    first = against_goal("time until healthy", [7.0, 8.0, 9.0], unit="s", goal=15.0)
    second = {"name": "a", "ours": 2.0, "theirs": 1.0, "ratio": 2.0, "unit": "ms", "goal": 0.6, "holds": False}
    page = report([Outcome("platform", (first,)), Outcome("other", (second,), error="it fell over")])
    assert "| time until healthy | 8 |  |  | s | 2 | 15 | yes |" in page
    assert "| a | 2 | 1 | 2 | ms |  | 0.6 | **no** |" in page
    assert "`other` failed: it fell over" in page


def test_a_benchmark_that_cannot_run_is_a_failure() -> None:
    assert "No module named" in measure("that_does_not_exist").error
