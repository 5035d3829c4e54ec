"""Measured properties of a clip, one module per family; `describe` measures them all."""

from model.acoustics.descriptors.describe import describe
from model.acoustics.descriptors.values import Contour, Descriptor, Descriptors, Segment

__all__ = ["Contour", "Descriptor", "Descriptors", "Segment", "describe"]
