"""The page of findings, in Markdown: verdicts, estimates, plots, what each arm cost, and what may be doubted.

Promises that everything on it comes from the results that lie beside it: the same results give the same
page. Notes on what was tried where a finding did not appear are read from `notes-<number>.md` beside
the results, and are the only part written by hand.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import fmean

from model.evaluation.findings.arms import ARMS
from model.evaluation.findings.contrasts import Judged, Results, Tested, judge
from model.evaluation.findings.hypotheses import Claim, read_findings, written_digest
from model.evaluation.findings.plots import TURNS, write_plots
from model.evaluation.findings.results import read_results
from model.evaluation.findings.statistics import equivalence_p
from model.evaluation.findings.verdicts import LEAST_BASES, LEAST_CELLS, RULE

_HEAD = """\
# Findings

Ten findings about grounded reasoning, put to the test on the nano family and its sound world. Hypotheses, measures and
thresholds were written down first: [hypotheses.json](../model/evaluation/findings/hypotheses.json). Scores come from
the world's answers, from edits of its sound and from what its scenes were built of.

Made by `make findings` from the results in `docs/findings/`. One cell (a base and a seed) is run by

    make findings BASE=assets/base/nano SEED=1

and goes on after a kill. A base of another seed is trained by `python -m model.base --seed 1 --out DIR --work DIR`.
"""
_DOUBTS = """\
## What may be doubted

- The world is synthetic and the models are small: what holds here need not hold for a model of billions.
- Intervals are the wider of a bootstrap (bases, then seeds, then items) and Student's t over cells. Hypotheses are not
  corrected for their number; each finding is judged by the worst of its primary ones, which is strict in its own way.
- Compute is matched in tokens through the network (one sampled or scored counts 1, one trained 3); the difficulty
  filter's own samples, which most arms of reinforcement share, are left out.
- The bases of the dose-response are the base trained on with another mixture for a few hundred updates, three times
  the base's share of reasoning samples; bases trained from nothing would be stronger evidence.
- The answers are drawn at the temperature of serving from a fixed seed for each small group of questions.
"""
_GROUPED = ("kind", "depth")


def write_page(results: Path, page: Path) -> None:
    """Reads all results below `results` and writes the page, its plots beside the results."""
    found = Results(list(read_results(results)))
    judged = judge(read_findings(), found)
    plots = write_plots(results, judged, found)
    page.parent.mkdir(parents=True, exist_ok=True)
    parts = [_HEAD, *_made_from(found), *_summary(judged), *_rule()]
    for one in judged:
        parts += _finding(one, plots.get(one.finding.number, ()), results, page)
    parts += [*_by_kind(found), *_costs(found), _DOUBTS]
    page.write_text("\n".join(parts))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table with an empty line after it."""
    lines = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines), ""]


def _made_from(results: Results) -> Iterator[str]:
    bases = {base for base, _ in results.cells}
    cells = ", ".join(f"{base}-{seed}" for base, seed in results.cells) or "none yet"
    yield f"Results: {len(results.cells)} cells over {len(bases)} bases ({cells}), sizes `{results.sizes or 'none'}`."
    others = {result.origin.hypotheses for result in results.all} - {written_digest()}
    if others:
        yield "\n**Some results were made under an earlier wording of the hypotheses; `git log` shows what changed.**"
    yield ""


def _summary(judged: Sequence[Judged]) -> list[str]:
    rows = [[str(one.finding.number), one.finding.title, f"**{one.verdict}**", str(one.leaning)] for one in judged]
    return ["## Verdicts", "", *table(["#", "Finding", "Verdict", "Leaning, were there cells enough"], rows)]


def _rule() -> list[str]:
    head, *rows = RULE
    least = f"Every verdict needs at least {LEAST_CELLS} cells over {LEAST_BASES} bases; fewer are underpowered."
    return ["By this rule, m being the threshold written down before:", "", *table(head, rows), least, ""]


def _finding(one: Judged, plots: Sequence[str], results: Path, page: Path) -> list[str]:
    finding = one.finding
    lines = [f"## {finding.number}. {finding.title}: {one.verdict}", "", f"The paper: {finding.paper}", ""]
    head = ["", "Hypothesis", "Arm", "Against", "Difference (95 %)", "m", "Items, cells", "Verdict", "Leaning"]
    lines += table(head, [_row(tested) for tested in one.tested])
    where = os.path.relpath(results, page.parent)
    lines += [f"![{name.removesuffix('.svg')}]({where}/{name})" for name in plots] + [""] * bool(plots)
    notes = results / f"notes-{finding.number}.md"
    return [*lines, notes.read_text().strip(), ""] if notes.exists() else lines


def _row(tested: Tested) -> list[str]:
    one, found = tested.hypothesis, tested.found
    against = f"{one.versus or one.arm} {one.other_metric}" if one.paired else "0"
    start = [one.id if one.primary else f"({one.id})", one.words, f"{one.arm} {one.metric}", against]
    if found is None:
        return [*start, "not measured", "", "", str(tested.verdict), ""]
    scale = 1.0 if one.metric.endswith("tokens") else 100.0
    unit = " tokens" if scale == 1.0 else ""
    interval = f"{scale * found.mean:+.1f} ({_bound(scale * found.low)} to {_bound(scale * found.high)}){unit}"
    if one.claim is Claim.EQUIVALENT:
        interval += f", two one-sided tests p = {equivalence_p(found.means, margin=one.least):.2g}"
    size = f"{found.items}, {found.cells}"
    return [*start, interval, f"{one.claim} {scale * one.least:g}", size, str(tested.verdict), str(tested.leaning)]


def _bound(value: float) -> str:
    return f"{value:+.1f}" if isfinite(value) else ("∞" if value > 0 else "-∞")


def _by_kind(results: Results) -> list[str]:
    """Accuracy of each kind of question at each turn, over all cells."""
    lines = ["## Kinds by turns", "", "Right answers in %, after thinking / at once (answers), over all cells.", ""]
    for group in _GROUPED:
        rows = _grouped_rows(results, group)
        lines += table([group.capitalize(), *TURNS], rows) if rows else []
    return lines


def _grouped_rows(results: Results, group: str) -> list[list[str]]:
    shares: dict[str, dict[str, dict[str, list[float]]]] = {}
    for result in results.all:
        if result.arm not in TURNS:
            continue
        for metric in ("answers.think", "answers.direct", "answers.text"):
            for item, value in result.metrics.get(metric, {}).items():
                name = _group_name(result.items.get(item, {}), group)
                if value is not None:
                    shares.setdefault(name, {}).setdefault(result.arm, {}).setdefault(metric, []).append(value)
    return [[name, *(_shares(found.get(arm, {})) for arm in TURNS)] for name, found in sorted(shares.items())]


def _group_name(about: dict[str, object], group: str) -> str:
    prefix = "text: " if about.get("domain") == "text" else ""
    return f"{prefix}{about.get(group, 'unknown')}"


def _shares(outcomes: Mapping[str, Sequence[float]]) -> str:
    """The share of each metric, and of how many answers."""
    if not outcomes:
        return ""
    shares = " / ".join(f"{100 * fmean(values):.0f}" for values in outcomes.values())
    return f"{shares} ({max(map(len, outcomes.values()))})"


def _costs(results: Results) -> list[str]:
    rows = []
    for arm in ARMS:
        made = [result for result in results.all if result.arm == arm.name]
        if made:
            mean = {
                name: sum(r.cost[name] for r in made) / len(made)
                for name in ("tokens", "updates", "seconds", "cpu_seconds")
            }
            size = [
                f"{mean['tokens'] / 1e6:.2f}",
                f"{mean['updates']:.0f}",
                f"{mean['seconds']:.0f}",
                f"{mean['cpu_seconds']:.0f}",
            ]
            rows.append([arm.name, arm.words, *size, str(len(made))])
    head = [
        "Arm",
        "What it is",
        "Tokens from the base on (millions)",
        "Updates",
        "Seconds of its own",
        "On the processor",
        "Cells",
    ]
    return [
        "## What the arms cost",
        "",
        "Means over cells.",
        "",
        *(table(head, rows) if rows else ["Nothing yet.", ""]),
    ]
