"""Promotions and approvals in the database. Promotions are only ever added; an approval can only become void."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.orm import Session

from services.kit.paging import Page
from services.registry import tables
from services.registry.domain.aliases import Alias, Approval, Promotion

_MOVE = tables.promotions.c
_APPROVAL = tables.approvals.c


class PromotionRecords:
    """Promotions by alias."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, promotion: Promotion, *, revision: int) -> None:
        """Stores a move; `revision` is the alias's after it."""
        self._session.execute(
            insert(tables.promotions).values(
                model=promotion.model,
                alias=promotion.alias,
                sequence=promotion.sequence,
                revision=revision,
                number=promotion.number,
                previous_number=promotion.previous_number,
                actor=promotion.actor,
                reason=promotion.reason,
                create_time=promotion.create_time,
                rollback=promotion.rollback,
                approvers=list(promotion.approvers),
            )
        )

    def all(self, alias: Alias) -> list[Promotion]:
        """Every move of an alias, oldest first."""
        return self._read(self._of(alias).order_by(_MOVE.sequence))

    def last(self, alias: Alias) -> Promotion | None:
        """The newest move, or None."""
        found = self._read(self._of(alias).order_by(_MOVE.sequence.desc()).limit(1))
        return found[0] if found else None

    def page(self, alias: Alias, page: Page) -> Sequence[Promotion]:
        """Up to one more than the page holds, newest first."""
        query = self._of(alias)
        if page.after is not None:
            query = query.where(_MOVE.sequence < page.after[0])
        return self._read(query.order_by(_MOVE.sequence.desc()).limit(page.size + 1))

    def _of(self, alias: Alias) -> Select[Any]:
        versions = tables.versions.c
        same_version = (versions.model == _MOVE.model) & (versions.number == _MOVE.number)
        joined = tables.promotions.join(tables.versions, same_version)
        return (
            select(tables.promotions, versions.digest)
            .select_from(joined)
            .where(_MOVE.model == alias.model, _MOVE.alias == alias.alias)
        )

    def _read(self, query: Select[Any]) -> list[Promotion]:
        return [_promotion(row) for row in self._session.execute(query)]


class ApprovalRecords:
    """Approvals by version and alias."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, approval: Approval) -> None:
        """Stores an approval."""
        self._session.execute(
            insert(tables.approvals).values(
                model=approval.model,
                number=approval.number,
                alias=approval.alias,
                approver=approval.approver,
                comment=approval.comment,
                create_time=approval.create_time,
                void_reason="",
            )
        )

    def valid(self, model: str, number: int, alias: str) -> list[Approval]:
        """The approvals that still hold, oldest first."""
        query = select(tables.approvals).where(
            _APPROVAL.model == model,
            _APPROVAL.number == number,
            _APPROVAL.alias == alias,
            _APPROVAL.void_reason == "",
        )
        return [_approval(row) for row in self._session.execute(query.order_by(_APPROVAL.id))]

    def void(self, alias: Alias, *, number: int | None = None, reason: str) -> None:
        """Makes an alias's approvals void: those of one version, or all."""
        query = update(tables.approvals).where(
            _APPROVAL.model == alias.model, _APPROVAL.alias == alias.alias, _APPROVAL.void_reason == ""
        )
        if number is not None:
            query = query.where(_APPROVAL.number == number)
        self._session.execute(query.values(void_reason=reason))


def _promotion(row: Row[Any]) -> Promotion:
    return Promotion(
        model=row.model,
        alias=row.alias,
        sequence=row.sequence,
        number=row.number,
        digest=row.digest,
        previous_number=row.previous_number,
        actor=row.actor,
        reason=row.reason,
        create_time=row.create_time,
        rollback=row.rollback,
        approvers=tuple(row.approvers),
    )


def _approval(row: Row[Any]) -> Approval:
    return Approval(row.model, row.number, row.alias, row.approver, row.comment, row.create_time)
