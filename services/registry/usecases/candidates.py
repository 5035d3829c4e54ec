"""How many versions one author may have behind aliases that ask nobody's approval.

Each such version is loaded by every serving agent and takes its memory, so one author must not fill it for all.
Counted are the versions a person registered, had registered by a run, or moved there; a version that is in production
as well takes no more room and is not counted. Services have no limit of their own: who started the run counts.
"""

from collections.abc import Sequence

from services.kit.errors import FailedPrecondition
from services.registry.domain.aliases import Alias
from services.registry.domain.versions import Version
from services.registry.usecases.context import Context


def check_room(ctx: Context, target: Alias, version: Version, *, most: int) -> None:
    """FailedPrecondition where moving `target` to `version` gives an author more than `most`; 0 is no limit."""
    if not most or target.gate.is_protected or _is_released(ctx, version.model, version.digest):
        return
    for author in _charged(ctx, version):
        standing = [each for each in _candidates(ctx, author) if each.name != target.name]
        taken = {each.digest for each in standing}
        if version.digest not in taken and len(taken) >= most:
            raise FailedPrecondition(
                f"{author} has {len(taken)} candidates, as many as one author may: "
                f"{', '.join(each.name for each in standing)}; point one of them at the version its model has in "
                "production, or ask an operator to raise MGRD_REGISTRY_CANDIDATES_PER_AUTHOR",
                reason="TOO_MANY_CANDIDATES",
                metadata={"author": author, "most": str(most)},
            )


def _charged(ctx: Context, version: Version) -> Sequence[str]:
    if ctx.caller.is_person:
        return (ctx.caller.subject,)
    return sorted(set(version.authors) - {ctx.caller.subject})


def _candidates(ctx: Context, author: str) -> list[Alias]:
    return [
        alias
        for alias in ctx.aliases.held_by(author)
        if not alias.gate.is_protected and not _is_released(ctx, alias.model, alias.digest)
    ]


def _is_released(ctx: Context, model: str, digest: str) -> bool:
    return any(alias.gate.is_protected and alias.digest == digest for alias in ctx.aliases.of_model(model))
