"""Typed clients of the platform's services: plain values in and out, one family of errors, retries that are safe."""

from mgrd.clients.connecting import Clients, connect
from mgrd.clients.connection import Connection
from mgrd.clients.errors import (
    AbortedError,
    AlreadyExistsError,
    CallError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    Violation,
)
from mgrd.clients.features import FeaturesClient
from mgrd.clients.inference import InferenceClient
from mgrd.clients.registry import RegistryClient
from mgrd.clients.training import TrainingClient

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CallError",
    "Clients",
    "Connection",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "FeaturesClient",
    "InferenceClient",
    "InvalidArgumentError",
    "NotFoundError",
    "PermissionDeniedError",
    "RegistryClient",
    "ResourceExhaustedError",
    "TrainingClient",
    "UnauthenticatedError",
    "UnavailableError",
    "Violation",
    "connect",
]
