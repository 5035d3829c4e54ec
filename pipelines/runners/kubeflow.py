"""Runs on Kubeflow Pipelines, through its API.

Promises that a run is created once, however often it is asked for: it is found again by its name. kfp.Client is made at
the first use and only where the API answers, since its constructor otherwise waits for half a minute. Leaves the
meaning of KFP's states to the caller.
"""

import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pipelines.errors import PipelineError

EXPERIMENT = "mgrd"
_PROBE_TIMEOUT_S = 5.0
Answer = TypeVar("Answer")


class KubeflowError(PipelineError):
    """Kubeflow Pipelines cannot be reached, or refuses; reason KUBEFLOW_UNAVAILABLE or KUBEFLOW_REFUSED."""


@dataclass(frozen=True)
class KubeflowRun:
    """A run as KFP reports it."""

    id: str
    state: str
    """KFP's name of the state: PENDING, RUNNING, SUCCEEDED, SKIPPED, FAILED, CANCELING, CANCELED, PAUSED."""
    error: str


class KubeflowRunner:
    """The runs of one Kubeflow Pipelines installation."""

    def __init__(self, host: str, *, template: Path, namespace: str = "", ui: str = "") -> None:
        self._host = host.rstrip("/")
        self._template = template
        self._namespace = namespace or None
        self._ui = ui.rstrip("/")

    def ensure(self, name: str, arguments: Mapping[str, Any]) -> KubeflowRun:
        """The run of that name, created where there is none."""
        return self.find(name) or self._create(name, arguments)

    def find(self, name: str) -> KubeflowRun | None:
        """The newest run of that name."""
        wanted = f'{{"predicates":[{{"operation":"EQUALS","key":"display_name","stringValue":"{name}"}}]}}'
        listed = self._asked(
            lambda: self._client.list_runs(
                filter=wanted, page_size=1, sort_by="created_at desc", namespace=self._namespace
            )
        )
        return _run(listed.runs[0]) if listed and listed.runs else None

    def get(self, run_id: str) -> KubeflowRun | None:
        """The run of that id; None where KFP does not know it."""
        found = self._asked(lambda: self._client.get_run(run_id))
        return None if found is None else _run(found)

    def terminate(self, run_id: str) -> None:
        """Asks the run to stop."""
        self._asked(lambda: self._client.terminate_run(run_id))

    def retry(self, run_id: str) -> None:
        """Goes on with a failed or cancelled run after its last finished step."""
        self._asked(lambda: self._runs.run_service_retry_run(run_id))

    def page(self, run_id: str) -> str:
        """Address of the run's page, empty where no UI is known."""
        return f"{self._ui}/#/runs/details/{run_id}" if self._ui else ""

    def _create(self, name: str, arguments: Mapping[str, Any]) -> KubeflowRun:
        created = self._asked(
            lambda: self._client.create_run_from_pipeline_package(
                str(self._template),
                arguments=dict(arguments),
                run_name=name,
                experiment_name=EXPERIMENT,
                namespace=self._namespace,
            )
        )
        if created is None:
            raise KubeflowError(f"{self._host} has no place for run {name}", reason="KUBEFLOW_REFUSED")
        return KubeflowRun(id=created.run_id, state="PENDING", error="")

    def _asked(self, ask: Callable[[], Answer]) -> Answer | None:
        from kfp_server_api import ApiException  # type: ignore[import-untyped]
        from urllib3.exceptions import HTTPError

        try:
            return ask()
        except ApiException as error:
            if error.status == 404:
                return None
            raise KubeflowError(
                f"{self._host} answered {error.status}: {str(error.body)[:300]}", reason="KUBEFLOW_REFUSED"
            ) from error
        except HTTPError as error:
            raise self._unavailable(error) from error

    @cached_property
    def _client(self) -> Any:
        self._probe()
        import kfp

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # it says which servers it is for, each time
            return kfp.Client(host=self._host, namespace=self._namespace or "kubeflow", ui_host=self._ui or None)

    @cached_property
    def _runs(self) -> Any:
        from kfp_server_api import ApiClient, Configuration, RunServiceApi

        return RunServiceApi(ApiClient(Configuration(host=self._host)))

    def _probe(self) -> None:
        try:
            with urllib.request.urlopen(f"{self._host}/apis/v2beta1/healthz", timeout=_PROBE_TIMEOUT_S):  # noqa: S310 - an operator's setting
                return
        except (urllib.error.URLError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> KubeflowError:
        return KubeflowError(f"{self._host} does not answer: {error}", reason="KUBEFLOW_UNAVAILABLE")


def _run(found: Any) -> KubeflowRun:
    error = found.error.message if found.error and found.error.message else ""
    return KubeflowRun(id=found.run_id, state=found.state or "PENDING", error=error)
