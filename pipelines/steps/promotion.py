"""The step that brings the version behind an alias: at once where the gate lets it, else when people have done so.

An alias whose gate asks for approvals is moved by people alone (the registry refuses a step), so there this step
waits, holding nothing but a small pod, until somebody has approved and promoted, and fails when nobody did in time. It
fails at once where no approval would help, and says what the version lacks. Afterwards it waits until the version is
served there and asks it one held-out question.
"""

import time
from collections.abc import Callable
from pathlib import Path

from mgrd.clients import FailedPreconditionError, NotFoundError, PermissionDeniedError, RegistryClient
from mgrd.clients.request_ids import id_of
from pipelines.errors import PipelineError
from pipelines.steps.asking import Wanted, answer_of, await_served, first_question
from pipelines.steps.platform import clients_of
from pipelines.steps.reporting import reported
from pipelines.steps.surroundings import Surroundings

_POLL_S = 2.0
_PROTECTED, _GATE, _APPROVALS = "PROTECTED_ALIAS", "GATE_NOT_MET", "APPROVALS"
Progress = Callable[[float, str], None]


def promote(*, model: str, version: str, alias: str, data: str, approval_timeout_s: int, timeout_s: int) -> str:
    """The promoted version's answer to the first held-out question."""
    around = Surroundings.from_environment()
    with reported(around, "promote") as (progress, outcome), clients_of(around) as clients:
        name = f"models/{model}/aliases/{alias}"
        if not moved(clients.registry, name, version=version, run=around.run):
            await_people(
                clients.registry,
                name,
                version=version,
                run=around.run,
                timeout_s=approval_timeout_s,
                progress=progress,
            )
        outcome.message = f"{version} is behind {alias}; not asked: this platform has no inference service"
        if not around.inference_addr:
            return ""
        wanted = Wanted(model=model, version=version, alias=alias)
        await_served(clients.inference, wanted, timeout_s=timeout_s, progress=progress)
        question = first_question(Path(data), model=model, alias=alias)
        answerer, answer = answer_of(clients.inference, question)
        outcome.message = f"{answerer} is behind {alias}, was asked {question.text!r} and said {answer!r}"
        return answer


def moved(registry: RegistryClient, alias: str, *, version: str, run: str) -> bool:
    """Points the alias at the version where the gate is met; False where only people may.

    PipelineError GATE_NOT_MET where the version lacks more than people's approval.
    """
    try:
        registry.promote(alias, version=version, reason=f"result of runs/{run}", request_id=id_of(run, alias, version))
    except PermissionDeniedError as error:
        if error.reason != _PROTECTED:
            raise
        return False
    except FailedPreconditionError as error:
        if error.reason != _GATE:
            raise
        _check_in_reach(error, alias, version=version, run=run)
        return False
    return True


def _check_in_reach(error: FailedPreconditionError, alias: str, *, version: str, run: str) -> None:
    lacks = [each for each in error.violations if each.kind != _APPROVALS]
    if not lacks:
        return
    short = _short(version)
    told = "; ".join(f"{each.subject}: {each.description}" for each in lacks)
    raise PipelineError(
        f"{short} cannot go behind {alias.rpartition('/')[2]}, whoever approves it: {told}. It stays candidate; "
        f"`mgrd promote {short} --dry-run` lists what is missing; once that is mended, `mgrd run resume {run}` goes on",
        reason=_GATE,
        permanent=True,
    )


def await_people(
    registry: RegistryClient,
    alias: str,
    *,
    version: str,
    run: str,
    timeout_s: float,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Returns when the alias points at the version; PipelineError NOT_APPROVED when it does not in time.

    An alias that people point elsewhere meanwhile compares with another version, so the gate is asked again.
    """
    short, began_s, behind = _short(version), clock(), _version_behind(registry, alias)
    command = f"mgrd approve {short} --alias {alias.rpartition('/')[2]} --promote"
    while (waited_s := clock() - began_s) < timeout_s:
        before, behind = behind, _version_behind(registry, alias)
        if behind == version or (behind != before and moved(registry, alias, version=version, run=run)):
            return
        progress(0.5 * waited_s / timeout_s, f"waiting until somebody has looked at it: {command}")
        wait(_POLL_S)
    raise PipelineError(
        f"nobody promoted {short} to {alias} within {timeout_s:.0f} s; it stays candidate, and `{command}` still works",
        reason="NOT_APPROVED",
    )


def _version_behind(registry: RegistryClient, alias: str) -> str:
    try:
        return registry.get_alias(alias).version
    except NotFoundError:
        return ""


def _short(version: str) -> str:
    _, model, _, number = version.split("/")
    return f"{model}/{number}"
