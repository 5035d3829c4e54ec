import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mgrd.common.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ThinkMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    THINK_MODE_UNSPECIFIED: _ClassVar[ThinkMode]
    THINK_MODE_ON: _ClassVar[ThinkMode]
    THINK_MODE_OFF: _ClassVar[ThinkMode]

class DeploymentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEPLOYMENT_STATE_UNSPECIFIED: _ClassVar[DeploymentState]
    DEPLOYMENT_STATE_LOADING: _ClassVar[DeploymentState]
    DEPLOYMENT_STATE_READY: _ClassVar[DeploymentState]
    DEPLOYMENT_STATE_FAILED: _ClassVar[DeploymentState]
    DEPLOYMENT_STATE_DRAINING: _ClassVar[DeploymentState]
THINK_MODE_UNSPECIFIED: ThinkMode
THINK_MODE_ON: ThinkMode
THINK_MODE_OFF: ThinkMode
DEPLOYMENT_STATE_UNSPECIFIED: DeploymentState
DEPLOYMENT_STATE_LOADING: DeploymentState
DEPLOYMENT_STATE_READY: DeploymentState
DEPLOYMENT_STATE_FAILED: DeploymentState
DEPLOYMENT_STATE_DRAINING: DeploymentState

class Sampling(_message.Message):
    __slots__ = ("max_new_tokens", "temperature", "top_p", "seed", "max_think_tokens")
    MAX_NEW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_THINK_TOKENS_FIELD_NUMBER: _ClassVar[int]
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    max_think_tokens: int
    def __init__(self, max_new_tokens: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., seed: _Optional[int] = ..., max_think_tokens: _Optional[int] = ...) -> None: ...

class ReasonRequest(_message.Message):
    __slots__ = ("model", "alias", "audio", "question", "choices", "think", "sampling", "skip_evidence")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    THINK_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SKIP_EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    alias: str
    audio: bytes
    question: str
    choices: _containers.RepeatedScalarFieldContainer[str]
    think: ThinkMode
    sampling: Sampling
    skip_evidence: bool
    def __init__(self, model: _Optional[str] = ..., alias: _Optional[str] = ..., audio: _Optional[bytes] = ..., question: _Optional[str] = ..., choices: _Optional[_Iterable[str]] = ..., think: _Optional[_Union[ThinkMode, str]] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., skip_evidence: _Optional[bool] = ...) -> None: ...

class Answerer(_message.Message):
    __slots__ = ("version", "digest", "request_id", "front_end_version")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FRONT_END_VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: str
    request_id: str
    front_end_version: str
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[str] = ..., request_id: _Optional[str] = ..., front_end_version: _Optional[str] = ...) -> None: ...

class Delta(_message.Message):
    __slots__ = ("text", "tokens")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    text: str
    tokens: int
    def __init__(self, text: _Optional[str] = ..., tokens: _Optional[int] = ...) -> None: ...

class Completion(_message.Message):
    __slots__ = ("finish_reason", "answer", "reasoning_tokens", "answer_tokens", "time_to_first_token_ms", "total_ms", "out_of_domain", "out_of_domain_reason")
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_FIRST_TOKEN_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DOMAIN_REASON_FIELD_NUMBER: _ClassVar[int]
    finish_reason: str
    answer: str
    reasoning_tokens: int
    answer_tokens: int
    time_to_first_token_ms: float
    total_ms: float
    out_of_domain: bool
    out_of_domain_reason: str
    def __init__(self, finish_reason: _Optional[str] = ..., answer: _Optional[str] = ..., reasoning_tokens: _Optional[int] = ..., answer_tokens: _Optional[int] = ..., time_to_first_token_ms: _Optional[float] = ..., total_ms: _Optional[float] = ..., out_of_domain: _Optional[bool] = ..., out_of_domain_reason: _Optional[str] = ...) -> None: ...

class ReasonResponse(_message.Message):
    __slots__ = ("answerer", "reasoning", "answer", "evidence", "completion")
    ANSWERER_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_FIELD_NUMBER: _ClassVar[int]
    answerer: Answerer
    reasoning: Delta
    answer: Delta
    evidence: _common_pb2.Evidence
    completion: Completion
    def __init__(self, answerer: _Optional[_Union[Answerer, _Mapping]] = ..., reasoning: _Optional[_Union[Delta, _Mapping]] = ..., answer: _Optional[_Union[Delta, _Mapping]] = ..., evidence: _Optional[_Union[_common_pb2.Evidence, _Mapping]] = ..., completion: _Optional[_Union[Completion, _Mapping]] = ...) -> None: ...

class ReasonLiveRequest(_message.Message):
    __slots__ = ("turn", "audio", "end_of_turn", "interrupt")
    TURN_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    END_OF_TURN_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    turn: ReasonRequest
    audio: bytes
    end_of_turn: bool
    interrupt: bool
    def __init__(self, turn: _Optional[_Union[ReasonRequest, _Mapping]] = ..., audio: _Optional[bytes] = ..., end_of_turn: _Optional[bool] = ..., interrupt: _Optional[bool] = ...) -> None: ...

class ReasonLiveResponse(_message.Message):
    __slots__ = ("turn", "reply")
    TURN_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    turn: int
    reply: ReasonResponse
    def __init__(self, turn: _Optional[int] = ..., reply: _Optional[_Union[ReasonResponse, _Mapping]] = ...) -> None: ...

class Deployment(_message.Message):
    __slots__ = ("replica", "version", "digest", "state", "message", "observe_time", "aliases")
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    replica: str
    version: str
    digest: str
    state: DeploymentState
    message: str
    observe_time: _timestamp_pb2.Timestamp
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, replica: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ..., state: _Optional[_Union[DeploymentState, str]] = ..., message: _Optional[str] = ..., observe_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...

class GetDeploymentRequest(_message.Message):
    __slots__ = ("model", "alias")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    alias: str
    def __init__(self, model: _Optional[str] = ..., alias: _Optional[str] = ...) -> None: ...

class GetDeploymentResponse(_message.Message):
    __slots__ = ("desired_version", "desired_digest", "serving", "deployments")
    DESIRED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DESIRED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SERVING_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    desired_version: str
    desired_digest: str
    serving: bool
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    def __init__(self, desired_version: _Optional[str] = ..., desired_digest: _Optional[str] = ..., serving: _Optional[bool] = ..., deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ...) -> None: ...

class ListDeploymentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeploymentsResponse(_message.Message):
    __slots__ = ("deployments", "next_page_token")
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    next_page_token: str
    def __init__(self, deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
