"""Gates and approvals.

An approval says "this version, for this alias, under this gate": a change of the gate makes all approvals for the
alias void, and a rollback those of the version it leaves.
"""

import math
from dataclasses import replace

from services.kit.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.registry.domain.aliases import Alias, Approval
from services.registry.domain.gates import Gate, Requirement
from services.registry.domain.versions import Version, VersionState
from services.registry.usecases.context import Context
from services.registry.usecases.texts import checked_label, checked_text

APPROVALS_MOST = 20
REQUIREMENTS_MOST = 100


def set_gate(ctx: Context, *, model: str, alias: str, gate: Gate) -> Alias:
    """Sets what an alias demands; makes the alias where it does not exist."""
    check_gate(gate)
    ctx.model(model)
    known = ctx.aliases.get(model, alias)
    if known is None:
        return _new_alias(ctx, Alias(model, alias, gate, revision=1, update_time=ctx.now))
    if known.gate == gate:
        return known
    changed = replace(known, gate=gate, revision=known.revision + 1)
    ctx.aliases.save_gate(changed, setter=ctx.caller.subject, create_time=max(ctx.now, known.update_time))
    ctx.approvals.void(changed, reason="the gate changed")
    ctx.work.audit(changed.name, "gate.set", gate=gate.to_dict(), before=known.gate.to_dict())
    return changed


def create_approval(ctx: Context, *, model: str, number: int, alias: str, comment: str) -> Approval:
    """Records that the caller agrees to a version behind an alias."""
    version, target = ctx.version(model, number), ctx.alias(model, alias)
    _check_approver(ctx, version)
    approval = Approval(
        model=model,
        number=number,
        alias=alias,
        approver=ctx.caller.subject,
        comment=checked_text(comment, field="comment"),
        create_time=ctx.now,
    )
    for standing in ctx.approvals.valid(model, number, alias):
        if standing.approver == approval.approver:
            return standing
    ctx.approvals.add(approval)
    ctx.work.audit(version.name, "version.approved", alias=target.name, comment=comment)
    return approval


def check_gate(gate: Gate) -> None:
    """Refuses a gate that could not be meant."""
    if not 0 <= gate.approvals <= APPROVALS_MOST:
        raise InvalidArgument(f"approvals is {gate.approvals}; use 0 to {APPROVALS_MOST}", field="gate.approvals")
    if len(gate.requirements) > REQUIREMENTS_MOST:
        raise InvalidArgument(
            f"the gate has {len(gate.requirements)} requirements; at most {REQUIREMENTS_MOST} are taken",
            field="gate.requirements",
        )
    for index, requirement in enumerate(gate.requirements):
        _check_requirement(requirement, field=f"gate.requirements[{index}]")


def _check_requirement(requirement: Requirement, *, field: str) -> None:
    checked_label(requirement.suite, field=f"{field}.suite")
    checked_label(requirement.metric, field=f"{field}.metric")
    if not math.isfinite(requirement.threshold):
        raise InvalidArgument(
            f"threshold {requirement.threshold} is not a finite number", field=f"{field}.threshold", reason="NOT_FINITE"
        )
    if not all(requirement.evaluators):
        raise InvalidArgument("an evaluator without a name; leave it out", field=f"{field}.evaluators")


def _check_approver(ctx: Context, version: Version) -> None:
    if not ctx.caller.is_person:
        raise PermissionDenied(
            f"{ctx.caller.subject} is a service; approvals are people's to give", reason="APPROVER_NOT_A_PERSON"
        )
    if ctx.caller.subject in version.authors:
        raise PermissionDenied(
            f"{ctx.caller.subject} registered {version.name}; someone else must approve it", reason="SELF_APPROVAL"
        )
    if version.state is not VersionState.ACTIVE:
        raise FailedPrecondition(
            f"{version.name} is {version.state}; only an ACTIVE version can be approved", reason="VERSION_STATE"
        )


def _new_alias(ctx: Context, alias: Alias) -> Alias:
    ctx.aliases.add(alias, setter=ctx.caller.subject)
    ctx.work.audit(alias.name, "alias.created", gate=alias.gate.to_dict())
    return alias
