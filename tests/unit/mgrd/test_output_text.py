"""What people and models wrote is shown as they wrote it: brackets are no markup, in whatever place they stand."""

import pytest

from mgrd.cli.ask_command import answer_aloud
from mgrd.cli.output import Output, report, table
from mgrd.cli.progress import watch_to_the_end
from mgrd.clients.inference import AnswerDelta, Answerer, Completion, ReasoningDelta
from mgrd.clients.sound import Claim, Evidence, Verdict
from mgrd.clients.training import Run, RunSpec, RunState, Step, StepState
from mgrd.errors import MgrdError

NASTY = "list[int] [/b] [red]x"


def test_a_reply_with_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    claim = Claim("pitch_direction", "is", "rises", 0.0, None, None, NASTY, 0, len(NASTY))
    answer_aloud(
        Output(as_json=False),
        [
            Answerer("models/nano/versions/1", "sha256:0", "logmel", "request"),
            ReasoningDelta(NASTY, tokens=1),
            AnswerDelta(NASTY, tokens=1),
            Evidence(claim, Verdict.SUPPORTED, "1.0", "semitones", 1.0),
            Completion("stop", NASTY, 1, 1, 1.0, 2.0, out_of_domain=True, out_of_domain_reason=NASTY),
        ],
    )
    assert capsys.readouterr().out.count(NASTY) == 5


def test_a_table_a_remark_and_an_error_with_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    view = table("why")
    view.add_row(NASTY)
    output.show(None, view=view)
    output.say(NASTY)
    report(MgrdError(NASTY, reason="NASTY"), as_json=False)
    shown = capsys.readouterr()
    assert (shown.out.count(NASTY), shown.err.count(NASTY)) == (2, 1)


def test_a_run_whose_steps_say_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    steps = (Step("distil-1", state=StepState.RUNNING, message=NASTY), Step("odd", state=StepState.FAILED, error=NASTY))
    run = Run(
        "runs/a", RunSpec("models/nano"), RunState.FAILED, steps, "ana", None, None, "", "", "", "", 1.0, None, ""
    )
    watch_to_the_end(Output(as_json=False), [run])
    assert capsys.readouterr().out.count(NASTY) == 2
