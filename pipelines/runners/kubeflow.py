"""Runs and pipelines on Kubeflow Pipelines, through its API.

Promises that a run is created once, however often it is asked for: it is found again by its name. Speaks the API by its
generated client, kfp_server_api: kfp itself, with the Kubernetes and Google clients it brings, is for compiling. Leaves
the meaning of KFP's states to the caller.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.errors import PipelineError

EXPERIMENT = "mgrd"
_TIMEOUT_S = 30.0


class KubeflowError(PipelineError):
    """Kubeflow Pipelines cannot be reached, or refuses; reason KUBEFLOW_UNAVAILABLE or KUBEFLOW_REFUSED."""


@dataclass(frozen=True)
class KubeflowRun:
    """A run as KFP reports it."""

    id: str
    state: str
    """KFP's name of the state: PENDING, RUNNING, SUCCEEDED, SKIPPED, FAILED, CANCELING, CANCELED, PAUSED."""
    error: str


@dataclass(frozen=True)
class Uploaded:
    """A version of a pipeline as KFP has it."""

    pipeline_id: str
    version_id: str
    is_new: bool


class KubeflowRunner:
    """The runs of one Kubeflow Pipelines installation."""

    def __init__(
        self, host: str, *, template: Path, namespace: str = "", ui: str = "", service_account: str = ""
    ) -> None:
        """`service_account` is what steps run as; empty takes KFP's own."""
        self._host = host.rstrip("/")
        self._template = template
        self._namespace = namespace or None
        self._ui = ui.rstrip("/")
        self._service_account = service_account or None

    def ensure(self, name: str, arguments: Mapping[str, Any]) -> KubeflowRun:
        """The run of that name, created where there is none."""
        return self.find(name) or self._create(name, arguments)

    def find(self, name: str) -> KubeflowRun | None:
        """The newest run of that name."""
        listed = self._asked(
            self._runs.run_service_list_runs,
            filter=_named(name),
            page_size=1,
            sort_by="created_at desc",
            namespace=self._namespace,
        )
        return _run(listed.runs[0]) if listed and listed.runs else None

    def get(self, run_id: str) -> KubeflowRun | None:
        """The run of that id; None where KFP does not know it."""
        found = self._asked(self._runs.run_service_get_run, run_id)
        return None if found is None else _run(found)

    def terminate(self, run_id: str) -> None:
        """Asks the run to stop."""
        self._asked(self._runs.run_service_terminate_run, run_id)

    def retry(self, run_id: str) -> None:
        """Goes on with a failed or cancelled run after its last finished step."""
        self._asked(self._runs.run_service_retry_run, run_id)

    def page(self, run_id: str) -> str:
        """Address of the run's page, empty where no UI is known."""
        return run_page(self._ui, run_id)

    def pipeline_page(self, pipeline_id: str, version_id: str) -> str:
        """Address of a version's page, empty where no UI is known."""
        return f"{self._ui}/#/pipelines/details/{pipeline_id}/version/{version_id}" if self._ui else ""

    def upload(self, name: str, *, version: str) -> Uploaded:
        """The template as a version of the pipeline of that name; a version of the same name is taken for the same."""
        pipeline_id = self._pipeline(name)
        known = self._version(pipeline_id, version)
        if known is not None:
            return Uploaded(pipeline_id, known, is_new=False)
        upload = self._api.PipelineUploadServiceApi(self._connection).upload_pipeline_version
        made = self._made(upload, str(self._template), name=version, pipelineid=pipeline_id)
        return Uploaded(pipeline_id, str(made.pipeline_version_id), is_new=True)

    def _pipeline(self, name: str) -> str:
        listed = self._asked(
            self._pipelines.pipeline_service_list_pipelines, filter=_named(name), namespace=self._namespace
        )
        if listed and listed.pipelines:
            return str(listed.pipelines[0].pipeline_id)
        wanted = self._api.V2beta1Pipeline(display_name=name, name=name, namespace=self._namespace)
        return str(self._made(self._pipelines.pipeline_service_create_pipeline, wanted).pipeline_id)

    def _version(self, pipeline_id: str, version: str) -> str | None:
        listed = self._asked(
            self._pipelines.pipeline_service_list_pipeline_versions, pipeline_id, page_size=1, filter=_named(version)
        )
        found = listed.pipeline_versions if listed else None
        return str(found[0].pipeline_version_id) if found else None

    def _experiment(self) -> str:
        experiments = self._api.ExperimentServiceApi(self._connection)
        listed = self._asked(
            experiments.experiment_service_list_experiments, filter=_named(EXPERIMENT), namespace=self._namespace
        )
        if listed and listed.experiments:
            return str(listed.experiments[0].experiment_id)
        wanted = self._api.V2beta1Experiment(display_name=EXPERIMENT, namespace=self._namespace)
        return str(self._made(experiments.experiment_service_create_experiment, wanted).experiment_id)

    def _create(self, name: str, arguments: Mapping[str, Any]) -> KubeflowRun:
        wanted = self._api.V2beta1Run(
            display_name=name,
            experiment_id=self._experiment(),
            pipeline_spec=_specification(self._template),
            runtime_config=self._api.V2beta1RuntimeConfig(parameters=dict(arguments)),
            service_account=self._service_account,
        )
        created = self._made(self._runs.run_service_create_run, wanted)
        return KubeflowRun(id=created.run_id, state="PENDING", error="")

    def _made(self, make: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """What a call made, which is there unless the place for it is not."""
        made = self._asked(make, *arguments, **options)
        if made is None:
            raise KubeflowError(f"{self._host} has no place for what {make.__name__} makes", reason="KUBEFLOW_REFUSED")
        return made

    def _asked(self, ask: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """The API's answer; None where it does not know what is asked for."""
        from urllib3.exceptions import HTTPError

        try:
            return ask(*arguments, _request_timeout=_TIMEOUT_S, **options)
        except self._api.ApiException as error:
            if error.status == 404:
                return None
            raise KubeflowError(
                f"{self._host} answered {error.status}: {str(error.body)[:300]}", reason="KUBEFLOW_REFUSED"
            ) from error
        except HTTPError as error:
            raise KubeflowError(f"{self._host} does not answer: {error}", reason="KUBEFLOW_UNAVAILABLE") from error

    @cached_property
    def _api(self) -> Any:
        import kfp_server_api  # type: ignore[import-untyped]

        return kfp_server_api

    @cached_property
    def _connection(self) -> Any:
        return self._api.ApiClient(self._api.Configuration(host=self._host))

    @cached_property
    def _runs(self) -> Any:
        return self._api.RunServiceApi(self._connection)

    @cached_property
    def _pipelines(self) -> Any:
        return self._api.PipelineServiceApi(self._connection)


def run_page(ui: str, run_id: str) -> str:
    """Address of a run's page below `ui`, empty where no UI is known."""
    return f"{ui.rstrip('/')}/#/runs/details/{run_id}" if ui else ""


def _named(name: str) -> str:
    """KFP's filter for what people call a thing."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _specification(template: Path) -> dict[str, Any]:
    """What a compiled template says, as KFP wants it: its pipeline, and the platform's part where it has one."""
    import yaml

    pipeline, *platform = yaml.load_all(template.read_text(), Loader=yaml.CSafeLoader)
    return {"pipeline_spec": pipeline, "platform_spec": platform[0]} if platform else pipeline


def _run(found: Any) -> KubeflowRun:
    error = found.error.message if found.error and found.error.message else ""
    return KubeflowRun(id=found.run_id, state=found.state or "PENDING", error=error)
