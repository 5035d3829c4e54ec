"""The audit log, read back: what happened to a resource and to everything below it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from services.kit.paging import Page
from services.kit.tables import KIT
from services.registry.usecases.context import Context


@dataclass(frozen=True)
class AuditRecord:
    """One thing that happened; sequence is its number in the registry's log."""

    sequence: int
    resource: str
    action: str
    actor: str
    create_time: datetime
    details: Mapping[str, str]
    trace_id: str


def list_audit_records(ctx: Context, page: Page, *, resource: str) -> Sequence[AuditRecord]:
    """Up to one more than the page holds, newest first; of everything where no resource is given."""
    columns = KIT.audit.c
    query = select(KIT.audit).order_by(columns.seq.desc()).limit(page.size + 1)
    if resource:
        query = query.where((columns.resource == resource) | columns.resource.startswith(f"{resource}/"))
    if page.after is not None:
        query = query.where(columns.seq < page.after[0])
    return [
        AuditRecord(row.seq, row.resource, row.action, row.actor, row.create_time, row.details, row.trace_id)
        for row in ctx.work.session.execute(query)
    ]
