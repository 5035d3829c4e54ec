"""The parameters of the compiled pipeline, read from its template when they are first needed."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from services.orchestrator.parameters import Parameter


class TemplateCatalog:
    """The parameters that the template at `path` declares."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def parameters(self) -> Mapping[str, Parameter]:
        """Parameters by name."""
        return self._parameters

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        declared = self._root()["inputDefinitions"]["parameters"]
        return {name: _parameter(name, found) for name, found in declared.items()}

    def _root(self) -> dict[str, Any]:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the template has thousands of lines
        with self._path.open() as file:
            root: dict[str, Any] = next(iter(yaml.load_all(file, Loader=loader)))["root"]
        return root


def _parameter(name: str, declared: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        type=declared["parameterType"],
        default=declared.get("defaultValue"),
        description=" ".join(declared.get("description", "").split()),
    )
