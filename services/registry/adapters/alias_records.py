"""Aliases in the database, with their gates. Every gate an alias ever had is kept, so the past can be asked for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, insert, select, update
from sqlalchemy.orm import Session

from services.kit.paging import Page
from services.registry import tables
from services.registry.domain.aliases import Alias
from services.registry.domain.gates import Gate

_ALIAS = tables.aliases.c
_GATE = tables.gates.c
_MOVE = tables.promotions.c


class AliasRecords:
    """Aliases by model and id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, model: str, alias: str) -> Alias | None:
        """The alias as it is now, or None."""
        found = self._where(_ALIAS.model == model, _ALIAS.alias == alias)
        return found[0] if found else None

    def at(self, model: str, alias: str, time: datetime) -> Alias | None:
        """The alias as it was at a time; None where it did not exist yet."""
        gate = self._newest(tables.gates, model, alias, _GATE.create_time <= time, order=_GATE.id)
        if gate is None:
            return None
        move = self._newest(tables.promotions, model, alias, _MOVE.create_time <= time, order=_MOVE.sequence)
        then = Alias(model, alias, Gate.from_dict(gate.gate), gate.revision, gate.create_time)
        if move is None:
            return then
        return replace(
            then,
            number=move.number,
            digest=self._digest(model, move.number),
            revision=max(gate.revision, move.revision),
            update_time=move.create_time,
        )

    def of_model(self, model: str) -> list[Alias]:
        """All aliases of a model, by id."""
        return self._where(_ALIAS.model == model)

    def held_by(self, author: str) -> list[Alias]:
        """The aliases that point at a version this author registered, or that this author moved last."""
        lineages, moves = tables.lineages.c, tables.promotions.c
        registered = exists().where(
            lineages.model == _ALIAS.model, lineages.number == _ALIAS.number, lineages.registrant == author
        )
        last_mover = (
            select(moves.actor)
            .where(moves.model == _ALIAS.model, moves.alias == _ALIAS.alias)
            .order_by(moves.sequence.desc())
            .limit(1)
            .scalar_subquery()
        )
        return self._where(_ALIAS.number.is_not(None), registered | (last_mover == author))

    def page(self, model: str | None, page: Page) -> Sequence[Alias]:
        """Up to one more than the page holds, by model and id; of all models where none is given."""
        conditions: list[ColumnElement[bool]] = [] if model is None else [_ALIAS.model == model]
        if page.after is not None:
            last_model, last_alias = page.after
            conditions.append(
                (_ALIAS.model > last_model) | ((_ALIAS.model == last_model) & (_ALIAS.alias > last_alias))
            )
        return self._where(*conditions, limit=page.size + 1)

    def add(self, alias: Alias, *, setter: str) -> None:
        """Stores a new alias that points nowhere, with its gate."""
        self._session.execute(
            insert(tables.aliases).values(
                model=alias.model,
                alias=alias.alias,
                number=None,
                revision=alias.revision,
                update_time=alias.update_time,
            )
        )
        self._add_gate(alias, setter=setter, create_time=alias.update_time)

    def save_gate(self, alias: Alias, *, setter: str, create_time: datetime) -> None:
        """Stores an alias whose gate has changed."""
        self._save(alias)
        self._add_gate(alias, setter=setter, create_time=create_time)

    def save_move(self, alias: Alias) -> None:
        """Stores where an alias points now."""
        self._save(alias)

    def _save(self, alias: Alias) -> None:
        self._session.execute(
            update(tables.aliases)
            .where(_ALIAS.model == alias.model, _ALIAS.alias == alias.alias)
            .values(number=alias.number, revision=alias.revision, update_time=alias.update_time)
        )

    def _add_gate(self, alias: Alias, *, setter: str, create_time: datetime) -> None:
        self._session.execute(
            insert(tables.gates).values(
                model=alias.model,
                alias=alias.alias,
                gate=alias.gate.to_dict(),
                revision=alias.revision,
                setter=setter,
                create_time=create_time,
            )
        )

    def _where(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Alias]:
        gate = (
            select(_GATE.gate)
            .where(_GATE.model == _ALIAS.model, _GATE.alias == _ALIAS.alias)
            .order_by(_GATE.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        versions = tables.versions
        joined = tables.aliases.outerjoin(
            versions, (versions.c.model == _ALIAS.model) & (versions.c.number == _ALIAS.number)
        )
        query = select(tables.aliases, versions.c.digest, gate.label("gate")).select_from(joined).where(*conditions)
        rows = self._session.execute(query.order_by(_ALIAS.model, _ALIAS.alias).limit(limit))
        return [_alias(row) for row in rows]

    def _newest(
        self, table: Any, model: str, alias: str, condition: ColumnElement[bool], *, order: ColumnElement[Any]
    ) -> Row[Any] | None:
        query = select(table).where(table.c.model == model, table.c.alias == alias, condition)
        return self._session.execute(query.order_by(order.desc()).limit(1)).one_or_none()

    def _digest(self, model: str, number: int) -> str:
        columns = tables.versions.c
        query = select(columns.digest).where(columns.model == model, columns.number == number)
        digest: str = self._session.execute(query).scalar_one()
        return digest


def _alias(row: Row[Any]) -> Alias:
    return Alias(
        model=row.model,
        alias=row.alias,
        gate=Gate.from_dict(row.gate),
        revision=row.revision,
        update_time=row.update_time,
        number=row.number,
        digest=row.digest or "",
    )
