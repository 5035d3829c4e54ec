"""Versions in the database, with their origins, files and the aliases behind which they stand."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.orm import Session

from mgrd.manifest import manifest_from_json
from services.kit.paging import Page
from services.registry import tables
from services.registry.domain.versions import Lineage, Version, VersionState

_ORIGIN = ("run", "step", "parent", "data_digest", "code_commit")


class VersionRecords:
    """Versions by model and number."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, model: str, number: int) -> Version | None:
        """The version, or None."""
        row = self._row(select(tables.versions).where(tables.versions.c.number == number), model)
        return None if row is None else self._whole(model, [row])[0]

    def by_digest(self, model: str, digest: str) -> Version | None:
        """The version of this content that is not deleted, or None."""
        columns = tables.versions.c
        query = select(tables.versions).where(columns.digest == digest, columns.state != VersionState.DELETED)
        row = self._row(query, model)
        return None if row is None else self._whole(model, [row])[0]

    def add(self, version: Version) -> None:
        """Stores a new version and its files; its lineage is added by `add_lineage`."""
        key = {"model": version.model, "number": version.number}
        self._session.execute(
            insert(tables.versions).values(
                **key,
                digest=version.digest,
                manifest=version.manifest.to_json(),
                state=version.state,
                author=version.author,
                create_time=version.create_time,
                description=version.description,
            )
        )
        files = [{**key, "path": file.path, "sha256": file.sha256} for file in version.manifest.files]
        self._session.execute(insert(tables.version_files), files)

    def add_lineage(self, version: Version, lineage: Lineage, *, registrant: str, create_time: datetime) -> None:
        """Stores one more origin; who registered it becomes an author too."""
        self._session.execute(
            insert(tables.lineages).values(
                model=version.model,
                number=version.number,
                **asdict(lineage),
                registrant=registrant,
                create_time=create_time,
            )
        )

    def set_state(self, version: Version, state: VersionState) -> None:
        """Stores a transition."""
        columns = tables.versions.c
        self._session.execute(
            update(tables.versions)
            .where(columns.model == version.model, columns.number == version.number)
            .values(state=state)
        )

    def page(self, model: str, page: Page, *, state: VersionState | None) -> Sequence[Version]:
        """Up to one more than the page holds, newest first; without a state all but deleted ones."""
        columns = tables.versions.c
        wanted = columns.state == state if state is not None else columns.state != VersionState.DELETED
        query = select(tables.versions).where(columns.model == model, wanted)
        if page.after is not None:
            query = query.where(columns.number < page.after[0])
        rows = self._session.execute(query.order_by(columns.number.desc()).limit(page.size + 1)).all()
        return self._whole(model, rows)

    def _row(self, query: Select[Any], model: str) -> Row[Any] | None:
        return self._session.execute(query.where(tables.versions.c.model == model)).one_or_none()

    def _whole(self, model: str, rows: Sequence[Row[Any]]) -> list[Version]:
        numbers = [row.number for row in rows]
        lineages = self._by_number(tables.lineages, model, numbers, order="id")
        aliases = self._by_number(tables.aliases, model, numbers, order="alias")
        return [_version(row, lineages[row.number], aliases[row.number]) for row in rows]

    def _by_number(
        self, table: Any, model: str, numbers: Collection[int], *, order: str
    ) -> Mapping[int, list[Row[Any]]]:
        found: dict[int, list[Row[Any]]] = defaultdict(list)
        query = select(table).where(table.c.model == model, table.c.number.in_(numbers)).order_by(table.c[order])
        for row in self._session.execute(query):
            found[row.number].append(row)
        return found


def _version(row: Row[Any], lineages: Sequence[Row[Any]], aliases: Sequence[Row[Any]]) -> Version:
    origins = [Lineage(**{field: getattr(each, field) for field in _ORIGIN}) for each in lineages]
    return Version(
        model=row.model,
        number=row.number,
        digest=row.digest,
        manifest=manifest_from_json(row.manifest),
        state=VersionState(row.state),
        author=row.author,
        create_time=row.create_time,
        description=row.description,
        lineage=tuple(dict.fromkeys(each for each in origins if each != Lineage())),
        authors=frozenset({row.author, *(each.registrant for each in lineages)}),
        aliases=tuple(each.alias for each in aliases),
    )
