"""Settings of the registry, from MGRD_REGISTRY_...; the rest is every service's."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from services.kit.names import check_id
from services.kit.settings import ServiceSettings, SettingsError
from services.registry.domain.gates import Gate
from services.registry.usecases.gates import check_gate

_DEFAULT_GATES = Path(__file__).parent / "default_gates.json"


class RegistrySettings(ServiceSettings):
    """What an operator may choose."""

    own_prefix: ClassVar[str] = "registry"

    registry_default_gates_file: str = str(_DEFAULT_GATES)
    """JSON: the aliases a new model gets, each with its gate."""
    registry_garbage_grace_s: float = 14 * 86_400
    """How long an artifact nothing refers to is kept after it was last put."""
    registry_garbage_every_s: float = 3_600
    """How often the registry collects by itself; 0 means never."""
    registry_upload_expiry_s: float = 86_400
    """How long an upload may take from its opening."""
    registry_artifact_most_bytes: int = 64 * 2**30
    """The biggest artifact that can be uploaded."""

    registry_candidates_per_author: int = 4
    """How many versions one author may have behind aliases that need no approval, since serving loads them all; 0 means
    any number."""

    @property
    def garbage_grace(self) -> timedelta:
        return timedelta(seconds=self.registry_garbage_grace_s)

    @property
    def upload_expiry(self) -> timedelta:
        return timedelta(seconds=self.registry_upload_expiry_s)

    def default_gates(self) -> Mapping[str, Gate]:
        """The gates a new model's aliases get; SettingsError names the file and what is wrong with it."""
        return read_gates(Path(self.registry_default_gates_file))


def read_gates(path: Path) -> Mapping[str, Gate]:
    """Gates by alias, from JSON as `Gate.to_dict` writes it."""
    try:
        gates = {
            check_id(alias, field=alias): Gate.from_dict(values)
            for alias, values in json.loads(path.read_text()).items()
        }
        for gate in gates.values():
            check_gate(gate)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"MGRD_REGISTRY_DEFAULT_GATES_FILE {path}: {error}") from error
    return gates
