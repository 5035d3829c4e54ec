"""The step that measures a checkpoint on held-out scenes, and the page that shows what it found."""

import html
from collections.abc import Mapping
from pathlib import Path

from pipelines.steps import checkpoints
from pipelines.steps.reporting import reported
from pipelines.steps.stages import Settings, load_stages, write_json
from pipelines.steps.surroundings import Surroundings

HEADLINE = "accuracy_think"
"""The metric that gates and tables call "accuracy": right answers after thinking."""
_PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px sans-serif;margin:2em}}td,th{{padding:.3em 1em;text-align:left;border-bottom:1px solid #ddd}}
.bar{{background:#4a7dbd;height:.8em}}</style>
<h1>{title}</h1><p>Checkpoint <code>{checkpoint}</code></p>
<table><tr><th>Metric<th>Value<th></tr>{rows}</table>
"""


def evaluate(
    *, stages: str, settings: Settings, step: str, checkpoint: str, data: str, metrics_path: str, page_path: str
) -> dict[str, float]:
    """Accuracy with and without thinking, the silent control, and how the claims fare against the measurements."""
    around = Surroundings.from_environment()
    with reported(around, step) as (progress, outcome):
        learning = load_stages(stages)
        report = learning.evaluate(
            learning.EvalConfig(**settings),
            checkpoint=checkpoints.fetch(around, checkpoint),
            data=Path(data) / "heldout.jsonl",
            out=around.folder(step),
            progress=progress,
        )
        metrics = with_headline(report.metrics)
        outcome.metrics.update(metrics)
        write_json(metrics_path, {**report.to_dict(), "metrics": metrics})
        Path(page_path).write_text(page(step, checkpoint=checkpoint, metrics=metrics))
        return metrics


def with_headline(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics with the one that is the model's accuracy under that name."""
    headline = {"accuracy": metrics[HEADLINE]} if HEADLINE in metrics else {}
    return {**metrics, **headline}


def page(step: str, *, checkpoint: str, metrics: Mapping[str, float]) -> str:
    """The figures as one self-contained HTML page."""
    rows = "".join(_row(name, value) for name, value in sorted(metrics.items()))
    return _PAGE.format(title=html.escape(step), checkpoint=html.escape(checkpoint), rows=rows)


def _row(name: str, value: float) -> str:
    width = 100 * value if 0 <= value <= 1 else 0
    bar = f'<div class="bar" style="width:{width:.0f}px"></div>'
    return f"<tr><td>{html.escape(name)}<td>{value:.4g}<td>{bar}</tr>"
