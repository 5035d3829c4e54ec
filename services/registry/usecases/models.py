"""Models: created with the aliases every model has, found, listed."""

from collections.abc import Mapping, Sequence

from services.kit.errors import AlreadyExists
from services.kit.paging import Page
from services.registry.domain.aliases import Alias
from services.registry.domain.gates import Gate
from services.registry.domain.versions import Model
from services.registry.usecases.context import Context
from services.registry.usecases.texts import checked_text


def create_model(ctx: Context, *, model_id: str, description: str, default_gates: Mapping[str, Gate]) -> Model:
    """A new model, with one alias for each default gate."""
    if ctx.models.get(model_id) is not None:
        raise AlreadyExists(f"models/{model_id} exists; use it, or choose another id", reason="MODEL_EXISTS")
    model = Model(
        id=model_id,
        description=checked_text(description, field="description"),
        creator=ctx.caller.subject,
        create_time=ctx.now,
    )
    ctx.models.add(model)
    for alias, gate in default_gates.items():
        ctx.aliases.add(Alias(model_id, alias, gate, revision=1, update_time=ctx.now), setter=ctx.caller.subject)
    ctx.work.audit(model.name, "model.created", aliases=", ".join(default_gates))
    return model


def list_models(ctx: Context, page: Page) -> Sequence[Model]:
    """Up to one more model than the page holds, by id."""
    return ctx.models.page(page)
