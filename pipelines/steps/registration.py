"""The step that registers the run's last checkpoint and makes it the candidate.

Promises that repeating it changes nothing: every request's id is made from the run and what the request is about, and
the registry knows a digest it has. Uploads nothing, since the stages have put every file into the store.
"""

from collections.abc import Mapping

from mgrd.clients import AlreadyExistsError, NotFoundError, RegistryClient
from mgrd.clients.registry_values import Evaluation, Lineage
from mgrd.clients.request_ids import id_of
from pipelines.steps import checkpoints
from pipelines.steps.platform import clients_of
from pipelines.steps.reporting import reported
from pipelines.steps.surroundings import Surroundings

SUITE = "heldout"
CANDIDATE = "candidate"


def register(
    *, model: str, checkpoint: str, base: str, step: str, data_digest: str, metrics: Mapping[str, float]
) -> str:
    """Registers the checkpoint with lineage and its held-out evaluation; returns the version's name."""
    around = Surroundings.from_environment()
    run = f"runs/{around.run}"
    with reported(around, "register") as (_, outcome), clients_of(around) as clients:
        registry = clients.registry
        _ensure_model(registry, model, run=run)
        version = registry.create_version(
            f"models/{model}",
            manifest=checkpoints.manifest_of_digest(around, checkpoint),
            lineage=Lineage(run=run, step=step, parent=base, data_digest=data_digest, code_commit=around.code_commit),
            description=f"{step} of {run}",
            request_id=id_of(run, "version", checkpoint, around.code_commit),  # resumed by newer code: another request
        ).name
        registry.create_evaluation(
            version,
            evaluation=Evaluation(suite=SUITE, metrics=dict(metrics), data_digest=data_digest),
            request_id=id_of(run, "evaluation", version),
        )
        registry.promote(
            f"models/{model}/aliases/{CANDIDATE}",
            version=version,
            reason=f"result of {run}",
            request_id=id_of(run, CANDIDATE, version),
        )
        outcome.version = version
        outcome.message = f"{version} registered, now {CANDIDATE}"
        return version


def _ensure_model(registry: RegistryClient, model: str, *, run: str) -> None:
    try:
        registry.get_model(f"models/{model}")
    except NotFoundError:
        try:
            registry.create_model(
                model, description="Made by the MGRD pipeline.", request_id=id_of(run, "model", model)
            )
        except AlreadyExistsError:  # another run was faster
            return
