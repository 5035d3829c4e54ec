"""The layers around every RPC: trace, error mapping, metrics and log, auth, deadline, limit, validation.

From the outermost in; each is a context manager that knows nothing of the others. Error mapping lies far out so
that every layer may raise a ServiceError. Health and reflection, which probes call without a token, pass untouched.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.protobuf.message import DecodeError, Message

from services.kit import telemetry
from services.kit.auth import Policy, TokenTable, authorize, calling_as
from services.kit.deadlines import ending_in
from services.kit.errors import InvalidArgument, ResourceExhausted, ServiceError
from services.kit.metrics import measured
from services.kit.status import abort

_log = logging.getLogger(__name__)
_OPEN_SERVICES = ("/grpc.health.", "/grpc.reflection.")
_NO_DEADLINE_S = 3e9  # gRPC reports a missing deadline as one some centuries away


@dataclass(frozen=True)
class Call:
    """One RPC on its way in."""

    method: str
    context: grpc.ServicerContext
    is_unary: bool

    def metadata(self, key: str) -> str:
        """The value of a metadata key, empty where absent."""
        for name, value in self.context.invocation_metadata():
            if name == key:
                return value if isinstance(value, str) else ""
        return ""


Layer = Callable[[Call], AbstractContextManager[None]]
Validator = Callable[[str, Message], None]


def tracing(call: Call) -> AbstractContextManager[None]:
    return telemetry.span(call.method, traceparent=call.metadata("traceparent"))


@contextmanager
def error_mapping(call: Call) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if call.context.code() is not None:  # aborted already, by gRPC's own means
            raise
        abort(call.context, error)


def metering(call: Call) -> AbstractContextManager[None]:
    return measured(call.method)


@contextmanager
def logging_calls(call: Call) -> Iterator[None]:
    """One line per call that ended well or was refused; unexpected errors have a line of their own."""
    started = time.perf_counter()
    outcome = "OK"
    try:
        yield
    except BaseException as error:
        outcome = error.reason if isinstance(error, ServiceError) else type(error).__name__
        raise
    finally:
        ms = round((time.perf_counter() - started) * 1000, 1)
        _log.info("rpc", extra={"method": call.method, "outcome": outcome, "ms": ms, "peer": call.context.peer()})


def authentication(tokens: TokenTable, policy: Policy) -> Layer:
    @contextmanager
    def layer(call: Call) -> Iterator[None]:
        caller = tokens.caller(call.metadata("authorization"))
        authorize(caller, method=call.method, policy=policy)
        with calling_as(caller):
            yield

    return layer


def deadline(max_deadline_s: float) -> Layer:
    """Unary calls must carry a deadline, counted as at most `max_deadline_s`; streams may go on without."""

    @contextmanager
    def layer(call: Call) -> Iterator[None]:
        left_s = _time_left_s(call.context)
        if left_s is None and call.is_unary:
            raise InvalidArgument(
                f"the call has no deadline; set a timeout of at most {max_deadline_s:g} s",
                field="grpc-timeout",
                reason="DEADLINE_MISSING",
            )
        capped_s = min(left_s, max_deadline_s) if call.is_unary and left_s is not None else left_s
        with ExitStack() as stack:
            if capped_s is not None:
                stack.enter_context(ending_in(capped_s))
            yield

    return layer


def _time_left_s(context: grpc.ServicerContext) -> float | None:
    left_s = context.time_remaining()
    return None if left_s is None or left_s > _NO_DEADLINE_S else left_s


def concurrency_limit(most: int) -> Layer:
    """At most `most` calls at once, half of them streams; one more is told to come back, and costs nothing.

    A stream may stay for ever, so streams alone never keep the calls that end out.
    """
    calls, streams = _slots(most, "calls"), _slots(max(1, most // 2), "streams")

    @contextmanager
    def layer(call: Call) -> Iterator[None]:
        with ExitStack() as stack:
            if not call.is_unary:
                stack.enter_context(streams())
            stack.enter_context(calls())
            yield

    return layer


def _slots(most: int, what: str) -> Callable[[], AbstractContextManager[None]]:
    slots = threading.BoundedSemaphore(most)

    @contextmanager
    def held() -> Iterator[None]:
        if not slots.acquire(blocking=False):
            raise ResourceExhausted(
                f"the service is handling {most} {what} already; try again shortly",
                reason="TOO_MANY_CALLS",
                retry_after_s=0.5,
            )
        try:
            yield
        finally:
            slots.release()

    return held


class Layered(grpc.ServerInterceptor):  # type: ignore[misc]
    """Runs every RPC inside the layers, and each of its request messages through the validator."""

    def __init__(self, layers: list[Layer], *, validator: Validator) -> None:
        self._layers = layers
        self._validate = validator

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        handler, method = continuation(handler_call_details), handler_call_details.method
        if handler is None or method.startswith(_OPEN_SERVICES):
            return handler
        return self._wrapped(handler, method)

    def _wrapped(self, handler: grpc.RpcMethodHandler, method: str) -> grpc.RpcMethodHandler:
        streams_in, streams_out = handler.request_streaming, handler.response_streaming
        behaviour = _behaviour(handler)
        is_unary = not (streams_in or streams_out)

        def checked(request: Message | _Garbled) -> Message:
            if isinstance(request, _Garbled):
                raise InvalidArgument(
                    "the bytes sent are not the message this method takes", field="", reason="GARBLED"
                )
            self._validate(method, request)
            return request

        def incoming(request: Message | Iterator[Message]) -> Message | Iterator[Message]:
            return map(checked, request) if streams_in else checked(request)

        def one(request: Message | Iterator[Message], context: grpc.ServicerContext) -> Message:
            with self._entered(Call(method, context, is_unary)):
                return behaviour(incoming(request), context)

        def many(request: Message | Iterator[Message], context: grpc.ServicerContext) -> Iterator[Message]:
            with self._entered(Call(method, context, is_unary)):
                yield from behaviour(incoming(request), context)

        make = getattr(grpc, f"{_arity(streams_in)}_{_arity(streams_out)}_rpc_method_handler")
        return make(
            many if streams_out else one,
            request_deserializer=_tolerant(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    @contextmanager
    def _entered(self, call: Call) -> Iterator[None]:
        with ExitStack() as stack:
            for layer in self._layers:
                stack.enter_context(layer(call))
            yield


class _Garbled:
    """Stands for a request that could not be read, so that it is refused inside the layers, not by gRPC as INTERNAL."""


def _tolerant(deserialize: Callable[[bytes], Message]) -> Callable[[bytes], Message | _Garbled]:
    def tolerant(data: bytes) -> Message | _Garbled:
        try:
            return deserialize(data)
        except DecodeError:
            return _Garbled()

    return tolerant


def _arity(streams: bool) -> str:
    return "stream" if streams else "unary"


def _behaviour(handler: grpc.RpcMethodHandler) -> Callable[..., Any]:
    found = (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
    return cast(Callable[..., Any], next(behaviour for behaviour in found if behaviour is not None))
