from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_SUPPORTED: _ClassVar[Verdict]
    VERDICT_CONTRADICTED: _ClassVar[Verdict]
    VERDICT_NOT_CHECKABLE: _ClassVar[Verdict]
VERDICT_UNSPECIFIED: Verdict
VERDICT_SUPPORTED: Verdict
VERDICT_CONTRADICTED: Verdict
VERDICT_NOT_CHECKABLE: Verdict

class Claim(_message.Message):
    __slots__ = ("descriptor", "relation", "value", "tolerance", "start_s", "end_s", "text", "text_start", "text_end")
    DESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_START_FIELD_NUMBER: _ClassVar[int]
    TEXT_END_FIELD_NUMBER: _ClassVar[int]
    descriptor: str
    relation: str
    value: str
    tolerance: float
    start_s: float
    end_s: float
    text: str
    text_start: int
    text_end: int
    def __init__(self, descriptor: _Optional[str] = ..., relation: _Optional[str] = ..., value: _Optional[str] = ..., tolerance: _Optional[float] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., text: _Optional[str] = ..., text_start: _Optional[int] = ..., text_end: _Optional[int] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("claim", "verdict", "measured", "unit", "confidence")
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    claim: Claim
    verdict: Verdict
    measured: str
    unit: str
    confidence: float
    def __init__(self, claim: _Optional[_Union[Claim, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., measured: _Optional[str] = ..., unit: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Descriptor(_message.Message):
    __slots__ = ("name", "value", "unit", "confidence", "start_s", "end_s", "abstained", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    unit: str
    confidence: float
    start_s: float
    end_s: float
    abstained: bool
    reason: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., unit: _Optional[str] = ..., confidence: _Optional[float] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., abstained: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...
