"""Imports of large libraries without the garbage collector.

It would search all that torch and transformers define again and again while they come in, and once more when the
process ends: of a pipeline step's fixed cost that was a third (`python -m benchmarks steps`).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Imports in the block are not searched for garbage, then or later; for what stays as long as the process."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
