"""The orchestrator's process: reads its settings, wires its parts, serves.

python -m services.orchestrator.main
"""

from collections.abc import Mapping
from functools import partial

import grpc

from mgrd.store import open_store
from mgrd.training.v1 import training_pb2_grpc as pb_grpc
from pipelines.runners.kubeflow import run_page
from services.kit.database import Database
from services.kit.events.relay import Relay
from services.kit.migrations import migrate, schema_check
from services.kit.server import serve
from services.orchestrator.adapters.local import LocalExecutor
from services.orchestrator.adapters.template import TemplateCatalog
from services.orchestrator.changes import Changes
from services.orchestrator.domain import ExecutorKind
from services.orchestrator.policy import POLICY
from services.orchestrator.ports import Executor
from services.orchestrator.servicer import TrainingServicer
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.specs import Rules
from services.orchestrator.supervision import Supervisor


def main() -> None:
    """Entry point."""
    settings = OrchestratorSettings.from_environment()
    settings.require("database_url", "events_url", "store_url", "tokens_file")
    if settings.migrate:
        migrate(settings.database_url, package="services.orchestrator")
    database, changes = Database(settings.database_url), Changes()
    executors = executors_of(settings)
    rules = Rules(
        catalog=TemplateCatalog(settings.orchestrator_template),
        store=open_store(settings.store_url),
        executors=frozenset(executors),
        default_executor=settings.orchestrator_default_executor,
        page_of=partial(run_page, settings.orchestrator_kubeflow_ui),
    )
    servicer = TrainingServicer(database, rules=rules, changes=changes)

    def register(server: grpc.Server) -> None:
        pb_grpc.add_TrainingServiceServicer_to_server(servicer, server)

    serve(
        name="orchestrator",
        settings=settings,
        register=register,
        policy=POLICY,
        background=[
            Supervisor(database, executors, changes=changes, max_local_runs=settings.orchestrator_max_local_runs),
            Relay(database, settings.open_bus(), source="orchestrator", topic="mgrd.training"),
        ],
        checks={"database": database.check, "schema": schema_check(database.engine, package="services.orchestrator")},
    )


def executors_of(settings: OrchestratorSettings) -> Mapping[ExecutorKind, Executor]:
    """The executors this installation has."""
    executors: dict[ExecutorKind, Executor] = {
        ExecutorKind.LOCAL: LocalExecutor(
            settings.runs_folder, template=settings.orchestrator_template, environment=step_environment(settings)
        )
    }
    if settings.orchestrator_kubeflow_addr:
        from services.orchestrator.adapters.kubeflow import KubeflowExecutor

        executors[ExecutorKind.KUBEFLOW] = KubeflowExecutor.connect(
            settings.orchestrator_kubeflow_addr,
            template=settings.orchestrator_template,
            ui=settings.orchestrator_kubeflow_ui,
            namespace=settings.orchestrator_kubeflow_namespace,
            service_account=settings.orchestrator_kubeflow_service_account,
        )
    return executors


def step_environment(settings: OrchestratorSettings) -> dict[str, str]:
    """What local steps get beside this process's own environment: their token instead of this service's."""
    token_file = settings.orchestrator_step_token_file or settings.token_file
    return {"MGRD_TOKEN_FILE": token_file} if token_file else {}


if __name__ == "__main__":
    main()
