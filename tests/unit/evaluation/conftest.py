"""One core for each module."""

from tests.unit.learning.cores import one_core

__all__ = ["one_core"]
