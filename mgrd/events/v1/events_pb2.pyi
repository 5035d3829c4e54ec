from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CheckpointProduced(_message.Message):
    __slots__ = ("run", "step", "digest", "metrics")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    RUN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    run: str
    step: str
    digest: str
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, run: _Optional[str] = ..., step: _Optional[str] = ..., digest: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class RunFinished(_message.Message):
    __slots__ = ("run", "state", "version", "error")
    RUN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    run: str
    state: str
    version: str
    error: str
    def __init__(self, run: _Optional[str] = ..., state: _Optional[str] = ..., version: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...

class VersionRegistered(_message.Message):
    __slots__ = ("version", "digest", "run", "author")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: str
    run: str
    author: str
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[str] = ..., run: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...

class AliasMoved(_message.Message):
    __slots__ = ("alias", "version", "digest", "previous_version", "actor", "rollback")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    alias: str
    version: str
    digest: str
    previous_version: str
    actor: str
    rollback: bool
    def __init__(self, alias: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ..., previous_version: _Optional[str] = ..., actor: _Optional[str] = ..., rollback: _Optional[bool] = ...) -> None: ...

class EvaluationRecorded(_message.Message):
    __slots__ = ("version", "suite", "metrics")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    version: str
    suite: str
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, version: _Optional[str] = ..., suite: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class DeploymentReady(_message.Message):
    __slots__ = ("version", "digest", "replica", "aliases")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: str
    replica: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[str] = ..., replica: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...

class DeploymentFailed(_message.Message):
    __slots__ = ("version", "digest", "replica", "reason")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: str
    replica: str
    reason: str
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[str] = ..., replica: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
