"""The file Triton's python stub imports, as module `serve` (never `model`: that name is a package of ours).

It only makes the platform's code importable: the stub ignores PYTHONPATH, so this reads it.
"""

import os
import sys

sys.path[1:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]

from mgrd.importing import quick_imports  # noqa: E402

with quick_imports():
    from services.inference.triton.backend.host import Host


class TritonPythonModel(Host):
    """The name the stub looks for."""
