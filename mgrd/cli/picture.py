"""A spectrogram with the claims of a reply drawn on it, each in the colour of its verdict.

Needs matplotlib, which comes with the pipelines' dependencies; it is imported where it draws.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from mgrd.cli.replies import Reply
from mgrd.clients.features import Features
from mgrd.clients.sound import Evidence, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FRAMES_PER_S = 100
_COLOURS = {Verdict.SUPPORTED: "#2e9e4f", Verdict.CONTRADICTED: "#c8322b", Verdict.NOT_CHECKABLE: "#8a8a8a"}
_SIGNS = {Verdict.SUPPORTED: "✓", Verdict.CONTRADICTED: "✗", Verdict.NOT_CHECKABLE: "?"}


def draw_claims(features: Features, *, reply: Reply, to: Path) -> Path:
    """Writes the picture as a PNG and returns its path."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mel_TF = np.concatenate(
        [np.frombuffer(one.values, "<f4").reshape(one.frames, one.bands) for one in features.chunks]
    )
    figure = Figure(figsize=(10, 3.2 + 0.32 * len(reply.evidence)), layout="constrained")
    FigureCanvasAgg(figure)
    sound, claims = figure.subplots(2, 1, sharex=True, height_ratios=(3, max(0.3 * len(reply.evidence), 0.5)))
    extent = (0.0, mel_TF.shape[0] / _FRAMES_PER_S, 0.0, float(mel_TF.shape[1]))
    sound.imshow(mel_TF.T, origin="lower", aspect="auto", extent=extent, cmap="magma")
    sound.set_ylabel("mel band")
    sound.set_title(f"answer: {reply.answer.strip()}", loc="left")
    _draw_spans(claims, reply.evidence, duration_s=features.duration_s)
    figure.savefig(to, dpi=120)
    return to


def _draw_spans(axes: "Axes", evidence: tuple[Evidence, ...], *, duration_s: float) -> None:
    for row, one in enumerate(evidence):
        start_s = one.claim.start_s or 0.0
        end_s = one.claim.end_s or duration_s
        colour = _COLOURS[one.verdict]
        axes.barh(-row, end_s - start_s, left=start_s, color=colour, alpha=0.25, height=0.8)
        measured = f"   (measured {one.measured} {one.unit})".rstrip() if one.measured else ""
        axes.text(start_s, -row, f" {_SIGNS[one.verdict]} {one.claim.text}{measured}", va="center", color=colour)
    axes.set_yticks([])
    axes.set_ylim(-len(evidence) + 0.4, 0.6)
    axes.set_xlabel("seconds")
