"""What a new run must be: the check of everything a caller asks for, before anything is stored.

Promises that what passes can be started. Leaves the rows of own data to the first step, which reads them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.kit.errors import FailedPrecondition, InvalidArgument, shown
from services.kit.tables import now
from services.orchestrator.domain import ExecutorKind, RunSpec
from services.orchestrator.parameters import checked
from services.orchestrator.ports import Catalog, Store

_DIGEST_PREFIX = "sha256:"


@dataclass(frozen=True)
class Wanted:
    """A run as asked for, names parsed, nothing checked yet."""

    model: str
    base_version: str
    parameters: Mapping[str, Any]
    executor: ExecutorKind | None
    data: str
    run_id: str = ""
    is_from_here: bool = False
    """Whether the caller is on this machine, and so may name its files."""


@dataclass(frozen=True)
class Rules:
    """What new runs are checked against."""

    catalog: Catalog
    store: Store
    executors: frozenset[ExecutorKind]
    default_executor: ExecutorKind
    page_of: Callable[[str], str] = field(default=lambda _external_id: "")
    """Address of the page that an executor has of a run announced to us, by the run's id there."""
    clock: Callable[[], datetime] = field(default=now)


def checked_spec(wanted: Wanted, rules: Rules) -> RunSpec:
    """The spec, every default filled in; InvalidArgument names what is wrong."""
    executor = wanted.executor or rules.default_executor
    if executor not in rules.executors:
        known = ", ".join(sorted(rules.executors))
        raise InvalidArgument(
            f"this installation has no executor {executor}; it has {known}",
            field="spec.executor",
            reason="EXECUTOR_UNAVAILABLE",
        )
    _check_data(wanted, executor=executor, store=rules.store)
    return RunSpec(
        model=wanted.model,
        base_version=wanted.base_version,
        parameters=checked(wanted.parameters, rules.catalog.parameters()),
        executor=executor,
        data=wanted.data,
    )


def announced_spec(wanted: Wanted, rules: Rules) -> RunSpec:
    """The spec of a run that runs already, in Kubeflow: its parameters are checked, its data is its own affair.

    FailedPrecondition where this installation was not told where Kubeflow is: it could neither follow nor cancel it.
    """
    if ExecutorKind.KUBEFLOW not in rules.executors:
        raise FailedPrecondition(
            "the run is Kubeflow's, and the orchestrator was not told where that is: set "
            "MGRD_ORCHESTRATOR_KUBEFLOW_ADDR, or orchestrator.executor and orchestrator.kubeflow.addr of the chart",
            reason="EXECUTOR_UNAVAILABLE",
        )
    return RunSpec(
        model=wanted.model,
        base_version=wanted.base_version,
        parameters=checked(wanted.parameters, rules.catalog.parameters()),
        executor=ExecutorKind.KUBEFLOW,
        data=wanted.data,
    )


def _check_data(wanted: Wanted, *, executor: ExecutorKind, store: Store) -> None:
    data = wanted.data
    if not data:
        return
    if data.startswith(_DIGEST_PREFIX):
        sha256 = data.removeprefix(_DIGEST_PREFIX)
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef") or not store.exists(sha256):
            raise _no_data(f"the content store holds no data {shown(data)}; store it first")
    elif executor is not ExecutorKind.LOCAL or not wanted.is_from_here:
        raise _no_data(
            f"{shown(data)} is no digest; paths are read by the local executor alone, for callers on its machine: "
            "store the data first"
        )
    elif not os.path.isabs(data) or not os.path.isfile(data):  # noqa: PTH113, PTH117 - Path raises for overlong names
        raise _no_data(f"there is no file {shown(data)}; name a JSONL file by its absolute path")


def _no_data(message: str) -> InvalidArgument:
    return InvalidArgument(message, field="spec.data", reason="DATA_NOT_FOUND")
