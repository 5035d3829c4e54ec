"""The platform's services as a step calls them: with the run's token and trace, with patience while one restarts.

Promises that a restart of a service in the middle of a stage costs the stage nothing but the wait.
"""

import uuid
from pathlib import Path

from mgrd.clients import Clients
from pipelines.steps.surroundings import Surroundings

PATIENCE_S = 120.0
_NAMESPACE = uuid.UUID("6f1d6f0e-6a55-5d4f-9a39-6a1f6f2f4d10")


def clients_of(around: Surroundings) -> Clients:
    """Clients of the services whose addresses the step was given."""
    addresses = {
        "orchestrator": around.orchestrator_addr,
        "registry": around.registry_addr,
        "inference": around.inference_addr,
    }
    return Clients(
        {area: address for area, address in addresses.items() if address},
        token_file=Path(around.token_file) if around.token_file else None,
        timeout_s=PATIENCE_S,
        retry_for_s=PATIENCE_S,
        traceparent=lambda: trace_of(around.run),
    )


def request_id(*parts: str | int) -> str:
    """The UUID5 of what a request is about: a repeated step repeats its requests and duplicates nothing."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))


def trace_of(run: str) -> str:
    """The one W3C trace that all calls of a run's steps belong to; empty outside of a run."""
    if not run:
        return ""
    trace = uuid.uuid5(_NAMESPACE, run).hex
    return f"00-{trace}-{trace[:16]}-01"
