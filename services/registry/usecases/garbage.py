"""Garbage: mark what nothing refers to, then sweep what is marked.

Promises never to remove what a version or a live upload refers to, nor anything put within the grace period, which
is what keeps the checkpoints of runs that have registered nothing yet. Marking and registering exclude each other
through the database; the mark is taken away in the transaction that removes the bytes, so a crash in between leaves
marks that the next collection finishes, and bytes that are gone already are no error.
"""

from collections.abc import Sequence
from datetime import timedelta

from mgrd.store.port import Blob
from services.registry.usecases.context import Context

SWEPT_PER_TRANSACTION = 100


def unreferenced(ctx: Context, *, grace: timedelta) -> list[Blob]:
    """What a collection now would remove."""
    referenced = ctx.garbage.referenced(now=ctx.now)
    too_young = ctx.now - grace
    return [blob for blob in ctx.store.iterate() if blob.sha256 not in referenced and blob.stored_at <= too_young]


def mark(ctx: Context, *, grace: timedelta) -> Sequence[Blob]:
    """Forgets expired uploads and marks what nothing refers to; returns everything that a sweep will remove."""
    ctx.uploads.remove_expired(ctx.now)
    found = unreferenced(ctx, grace=grace)
    marked, wanted = ctx.garbage.marked(), {blob.sha256 for blob in found}
    for outdated in marked - wanted:
        ctx.garbage.unmark(outdated)
    ctx.garbage.mark([blob for blob in found if blob.sha256 not in marked], now=ctx.now)
    if found:
        ctx.work.audit(
            "artifacts", "garbage.marked", count=len(found), size_bytes=sum(blob.size_bytes for blob in found)
        )
    return found


def sweep(ctx: Context) -> int:
    """Removes some of what is marked; returns how many, 0 when nothing is left."""
    some = sorted(ctx.garbage.marked())[:SWEPT_PER_TRANSACTION]
    for sha256 in some:
        ctx.garbage.unmark(sha256)
    for sha256 in some:
        ctx.store.delete(sha256)
    return len(some)
