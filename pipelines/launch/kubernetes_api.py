"""TrainJobs through the Kubernetes API of the cluster this pod runs in."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pipelines.launch.train_job import API, ClusterUnavailableError, Object

TRAIN_JOBS = "trainjobs"
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_GONE_S = 120.0
_TIMEOUT_S = 20.0
_NOT_YET = (400, 404)
"""The log of a container that has not started, or of a pod that is gone."""
FIRST_POD = "jobset.sigs.k8s.io/jobset-name={name},batch.kubernetes.io/job-completion-index=0"
Answer = TypeVar("Answer")


class KubernetesApi:
    """The TrainJobs of one namespace."""

    def __init__(self, client: Any, *, namespace: str, poll_s: float = 1.0) -> None:
        from kubernetes.client import CoreV1Api, CustomObjectsApi

        self._core = CoreV1Api(client)
        self._custom = CustomObjectsApi(client)
        self._where = {"group": API, "version": "v1alpha1", "namespace": namespace, "plural": TRAIN_JOBS}
        self._namespace = namespace
        self._poll_s = poll_s

    @classmethod
    def of_this_pod(cls) -> "KubernetesApi":
        """With this pod's service account."""
        from kubernetes import client, config

        config.load_incluster_config()
        return cls(client.ApiClient(), namespace=_NAMESPACE_FILE.read_text().strip())

    def create(self, train_job: Object) -> None:
        """Makes a TrainJob."""
        self._asked(
            lambda: self._custom.create_namespaced_custom_object(
                **self._where, body=train_job, _request_timeout=_TIMEOUT_S
            )
        )

    def get(self, name: str) -> Object | None:
        """The TrainJob of that name."""
        found: Object | None = self._asked(
            lambda: self._custom.get_namespaced_custom_object(**self._where, name=name, _request_timeout=_TIMEOUT_S),
            absent=(404,),
        )
        return found

    def delete(self, name: str) -> None:
        """Removes it; its pods go first."""
        self._asked(
            lambda: self._custom.delete_namespaced_custom_object(
                **self._where, name=name, propagation_policy="Foreground", _request_timeout=_TIMEOUT_S
            ),
            absent=(404,),
        )
        ends_s = time.monotonic() + _GONE_S
        while self.get(name) is not None:
            if time.monotonic() > ends_s:
                raise ClusterUnavailableError(f"TrainJob {name} is still there {_GONE_S:g} s after it was deleted")
            time.sleep(self._poll_s)

    def first_pod(self, name: str) -> tuple[str, list[str]] | None:
        """The youngest pod of index 0, with its log."""
        pods = self._asked(
            lambda: self._core.list_namespaced_pod(
                self._namespace, label_selector=FIRST_POD.format(name=name), _request_timeout=_TIMEOUT_S
            )
        )
        if not pods.items:
            return None
        pod = max(pods.items, key=lambda each: each.metadata.creation_timestamp).metadata
        log = self._asked(
            lambda: self._core.read_namespaced_pod_log(pod.name, self._namespace, _request_timeout=_TIMEOUT_S),
            absent=_NOT_YET,
        )
        return (pod.uid, log.splitlines()) if log else None

    def _asked(self, ask: Callable[[], Answer], *, absent: tuple[int, ...] = ()) -> Answer | Any:
        """The answer; None where the status is one of `absent`."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return ask()
        except ApiException as error:
            if error.status in absent:
                return None
            if error.status and error.status < 500:
                raise
            raise ClusterUnavailableError(f"the cluster's API answered {error.status}") from error
        except HTTPError as error:
            raise ClusterUnavailableError(f"the cluster's API does not answer: {error}") from error
