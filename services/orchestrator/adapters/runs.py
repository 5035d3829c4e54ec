"""Runs in the database, read and written whole within a unit of work."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Row, Select, insert, select, tuple_, update
from sqlalchemy.orm import Session

from services.kit.paging import Page
from services.kit.tables import now
from services.orchestrator.domain import ExecutorKind, Run, RunSpec, RunState, Step, StepState
from services.orchestrator.tables import runs, steps

_SPEC = tuple(field.name for field in fields(RunSpec))
_STEP = tuple(field.name for field in fields(Step))


class Runs:
    """The runs that one session sees."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        return self._one(select(runs).where(runs.c.id == run_id))

    def by_external_id(self, external_id: str) -> Run | None:
        """The run that Kubeflow knows under that id; ids of local processes are used anew."""
        on_kubeflow = (runs.c.external_id == external_id) & (runs.c.executor == str(ExecutorKind.KUBEFLOW))
        return self._one(select(runs).where(on_kubeflow)) if external_id else None

    def in_states(self, states: Collection[RunState]) -> Sequence[Run]:
        """Runs in one of these states, oldest first."""
        query = select(runs).where(runs.c.state.in_([str(state) for state in states]))
        return self._all(query.order_by(runs.c.create_time, runs.c.id))

    def page(self, page: Page, *, state: RunState | None) -> Sequence[Run]:
        """Up to one run more than the page holds, newest first."""
        query = select(runs).order_by(runs.c.create_time.desc(), runs.c.id.desc()).limit(page.size + 1)
        if state is not None:
            query = query.where(runs.c.state == str(state))
        if page.after is not None:
            after = self.get(str(page.after[0]))
            if after is not None:
                query = query.where(tuple_(runs.c.create_time, runs.c.id) < (after.create_time, after.id))
        return self._all(query)

    def add(self, run: Run) -> Run:
        """Stores a new run."""
        self._session.execute(insert(runs).values(_run_columns(run)))
        return run

    def save(self, run: Run) -> Run:
        """Stores a changed run under its next revision."""
        saved = replace(run, revision=run.revision + 1, update_time=now())
        self._session.execute(update(runs).where(runs.c.id == run.id).values(_run_columns(saved)))
        known = {row.name: row for row in self._step_rows(run.id)}
        for position, step in enumerate(run.steps):
            self._save_step(run.id, position, step, known.get(step.name))
        return saved

    def _save_step(self, run_id: str, position: int, step: Step, known: Row[Any] | None) -> None:
        if known is None:
            self._session.execute(insert(steps).values(run=run_id, position=position, **_step_columns(step)))
        elif _step(known) != step:
            same = (steps.c.run == run_id) & (steps.c.name == step.name)
            self._session.execute(update(steps).where(same).values(_step_columns(step)))

    def _one(self, query: Select[Any]) -> Run | None:
        row = self._session.execute(query).first()
        return None if row is None else self._run(row)

    def _all(self, query: Select[Any]) -> Sequence[Run]:
        return [self._run(row) for row in self._session.execute(query).all()]

    def _run(self, row: Row[Any]) -> Run:
        columns = row._asdict()
        spec = RunSpec(**{name: columns.pop(name) for name in _SPEC})
        return Run(
            spec=replace(spec, executor=ExecutorKind(spec.executor)),
            state=RunState(columns.pop("state")),
            steps=tuple(_step(found) for found in self._step_rows(row.id)),
            **columns,
        )

    def _step_rows(self, run_id: str) -> Sequence[Row[Any]]:
        return self._session.execute(select(steps).where(steps.c.run == run_id).order_by(steps.c.position)).all()


def _run_columns(run: Run) -> dict[str, Any]:
    columns = {field.name: getattr(run, field.name) for field in fields(Run) if field.name not in ("spec", "steps")}
    spec = {name: getattr(run.spec, name) for name in _SPEC}
    return {**columns, **spec, "parameters": dict(run.spec.parameters)}


def _step_columns(step: Step) -> dict[str, Any]:
    return {**{name: getattr(step, name) for name in _STEP}, "metrics": dict(step.metrics)}


def _step(row: Row[Any]) -> Step:
    columns = {name: getattr(row, name) for name in _STEP}
    return Step(**{**columns, "state": StepState(columns["state"])})
