"""Evaluations in the database. Only ever added to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from services.kit.auth import Caller
from services.kit.paging import Page
from services.registry import tables
from services.registry.domain.gates import Evaluation
from services.registry.domain.versions import Version


class EvaluationRecords:
    """Evaluations by version."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        version: Version,
        *,
        suite: str,
        metrics: Mapping[str, float],
        data_digest: str,
        evaluator: Caller,
        create_time: datetime,
    ) -> Evaluation:
        """Stores a result and gives it its id."""
        row = self._session.execute(
            insert(tables.evaluations)
            .values(
                model=version.model,
                number=version.number,
                suite=suite,
                metrics=dict(metrics),
                data_digest=data_digest,
                evaluator=evaluator.subject,
                by_service=not evaluator.is_person,
                create_time=create_time,
            )
            .returning(tables.evaluations)
        ).one()
        return _evaluation(row)

    def of(self, model: str, number: int, *, suites: Sequence[str]) -> list[Evaluation]:
        """The results of a version in these suites, newest first."""
        columns = tables.evaluations.c
        query = select(tables.evaluations).where(
            columns.model == model, columns.number == number, columns.suite.in_(suites)
        )
        return [_evaluation(row) for row in self._session.execute(query.order_by(columns.id.desc()))]

    def page(self, model: str, number: int, page: Page) -> Sequence[Evaluation]:
        """Up to one more than the page holds, newest first."""
        columns = tables.evaluations.c
        query = select(tables.evaluations).where(columns.model == model, columns.number == number)
        if page.after is not None:
            query = query.where(columns.id < page.after[0])
        rows = self._session.execute(query.order_by(columns.id.desc()).limit(page.size + 1))
        return [_evaluation(row) for row in rows]


def _evaluation(row: Row[Any]) -> Evaluation:
    return Evaluation(
        id=row.id,
        model=row.model,
        number=row.number,
        suite=row.suite,
        metrics=row.metrics,
        data_digest=row.data_digest,
        evaluator=row.evaluator,
        by_service=row.by_service,
        create_time=row.create_time,
    )
