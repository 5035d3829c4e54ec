"""Models in the database, and the counter their version numbers come from."""

from collections.abc import Sequence

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from services.kit.paging import Page
from services.registry import tables
from services.registry.domain.versions import Model


class ModelRecords:
    """Models by id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, model: str) -> Model | None:
        """The model, or None."""
        row = self._session.execute(select(tables.models).where(tables.models.c.model == model)).one_or_none()
        return None if row is None else _model(row)

    def add(self, model: Model) -> None:
        """Stores a new model."""
        self._session.execute(
            insert(tables.models).values(
                model=model.id,
                description=model.description,
                creator=model.creator,
                create_time=model.create_time,
                last_number=0,
            )
        )

    def next_number(self, model: str) -> int:
        """A version number nobody has had; the row stays locked until the transaction ends."""
        counter = tables.models.c.last_number
        counted = update(tables.models).where(tables.models.c.model == model).values(last_number=counter + 1)
        number: int = self._session.execute(counted.returning(counter)).scalar_one()
        return number

    def page(self, page: Page) -> Sequence[Model]:
        """Up to one more model than the page holds, by id."""
        query = select(tables.models).order_by(tables.models.c.model).limit(page.size + 1)
        if page.after is not None:
            query = query.where(tables.models.c.model > page.after[0])
        return [_model(row) for row in self._session.execute(query)]


def _model(row: Row[tuple[object, ...]]) -> Model:
    return Model(id=row.model, description=row.description, creator=row.creator, create_time=row.create_time)
