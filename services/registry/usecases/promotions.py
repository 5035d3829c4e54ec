"""Promotions and rollbacks: the two ways an alias moves.

Each move is one row that is never changed, one audit record and one event, in one transaction with the alias.
Promoting what the alias points at already changes nothing and answers with the promotion that put it there.
An alias whose gate asks for approvals is protected: only people move it. A service is told first what the version
lacks, so that it knows whether people can help.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mgrd.events.v1.events_pb2 import AliasMoved
from services.kit.errors import Aborted, FailedPrecondition, PermissionDenied, Violation
from services.registry.domain.aliases import Alias, Promotion, rollback_target
from services.registry.domain.gates import (
    SMOKE_SUITE,
    Dossier,
    Evaluation,
    Gate,
    counting_approvers,
    violations,
)
from services.registry.domain.versions import Version, VersionState
from services.registry.usecases.candidates import check_room
from services.registry.usecases.context import Context
from services.registry.usecases.texts import checked_text


@dataclass(frozen=True)
class Move:
    """A promotion and the alias after it."""

    promotion: Promotion
    alias: Alias


def promote(
    ctx: Context,
    *,
    model: str,
    alias: str,
    number: int,
    reason: str,
    etag: str,
    validate_only: bool,
    candidates_per_author: int = 0,
) -> Move:
    """Points an alias at a version if the gate is met; FailedPrecondition lists every violation."""
    target = _alias_to_move(ctx, model=model, alias=alias, etag=etag)
    version = ctx.version(model, number)
    last = ctx.promotions.last(target)
    if target.number == number and last is not None:
        return Move(last, target)
    dossier = _dossier(ctx, target, version)
    _check_gate_met(target, version, violations(target.gate, dossier))
    _check_may_move(ctx, target)
    check_room(ctx, target, version, most=candidates_per_author)
    move = _move(ctx, target, version, reason=reason, approvers=counting_approvers(dossier))
    if not validate_only:
        _record(ctx, move)
    return move


def rollback(ctx: Context, *, model: str, alias: str, reason: str, etag: str) -> Move:
    """Points an alias back at the version before; the gate is not asked, since that version passed it once."""
    target = _alias_to_move(ctx, model=model, alias=alias, etag=etag)
    _check_may_move(ctx, target)
    number = rollback_target(
        ctx.promotions.all(target),
        usable=lambda each: ctx.version(model, each).state is VersionState.ACTIVE,
    )
    if number is None:
        raise FailedPrecondition(
            f"{target.name} has no earlier version that is ACTIVE; promote one instead",
            reason="NOTHING_TO_ROLL_BACK_TO",
        )
    move = _move(ctx, target, ctx.version(model, number), reason=reason, rollback=True)
    _record(ctx, move)
    ctx.approvals.void(target, number=target.number, reason="rolled back")
    return move


def _alias_to_move(ctx: Context, *, model: str, alias: str, etag: str) -> Alias:
    found = ctx.alias(model, alias)
    if etag and etag != found.etag:
        raise Aborted(
            f"{found.name} has changed since you read it (etag {found.etag}); read it again and decide again",
            reason="ETAG_MISMATCH",
            metadata={"etag": found.etag},
        )
    return found


def _check_may_move(ctx: Context, target: Alias) -> None:
    if target.gate.is_protected and not ctx.caller.is_person:
        raise PermissionDenied(
            f"{target.name} asks for approvals, so only people move it, and {ctx.caller.subject} is a service",
            reason="PROTECTED_ALIAS",
        )


def _dossier(ctx: Context, target: Alias, version: Version) -> Dossier:
    approvals = ctx.approvals.valid(version.model, version.number, target.alias)
    current = target.number
    return Dossier(
        version=version.name,
        state=version.state,
        authors=version.authors,
        approvers=[each.approver for each in approvals],
        evaluations=_results(ctx, target.gate, version.model, version.number),
        current_evaluations=None if current is None else _results(ctx, target.gate, version.model, current),
    )


def _results(ctx: Context, gate: Gate, model: str, number: int) -> list[Evaluation]:
    suites = {SMOKE_SUITE, *(each.suite for each in gate.requirements)}
    return ctx.evaluations.of(model, number, suites=sorted(suites))


def _check_gate_met(target: Alias, version: Version, found: Sequence[Violation]) -> None:
    if found:
        lacks = "; ".join(f"{each.subject}: {each.description}" for each in found)
        raise FailedPrecondition(
            f"{version.name} does not pass the gate of {target.name}: {lacks}",
            reason="GATE_NOT_MET",
            violations=found,
        )


def _move(
    ctx: Context,
    target: Alias,
    version: Version,
    *,
    reason: str,
    approvers: Sequence[str] = (),
    rollback: bool = False,
) -> Move:
    last = ctx.promotions.last(target)
    # A clock that went back must not make history run backwards.
    when = max(ctx.now, target.update_time)
    promotion = Promotion(
        model=target.model,
        alias=target.alias,
        sequence=1 if last is None else last.sequence + 1,
        number=version.number,
        digest=version.digest,
        previous_number=target.number,
        actor=ctx.caller.subject,
        reason=checked_text(reason, field="reason"),
        create_time=when,
        rollback=rollback,
        approvers=tuple(approvers),
    )
    moved = replace(
        target, number=version.number, digest=version.digest, revision=target.revision + 1, update_time=when
    )
    return Move(promotion, moved)


def _record(ctx: Context, move: Move) -> None:
    promotion, alias = move.promotion, move.alias
    ctx.promotions.add(promotion, revision=alias.revision)
    ctx.aliases.save_move(alias)
    ctx.work.audit(
        alias.name,
        "alias.rolled_back" if promotion.rollback else "alias.moved",
        version=promotion.version,
        previous_version=promotion.previous_version,
        digest=promotion.digest,
        reason=promotion.reason,
        approvers=", ".join(promotion.approvers),
    )
    body = AliasMoved(
        alias=alias.name,
        version=promotion.version,
        digest=promotion.digest,
        previous_version=promotion.previous_version,
        actor=promotion.actor,
        rollback=promotion.rollback,
    )
    ctx.work.publish(body, subject=alias.name, key=f"models/{alias.model}")
