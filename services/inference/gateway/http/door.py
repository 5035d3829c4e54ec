"""The HTTP server in the gateway's process: tokens, limits and errors as at the gRPC door.

POST /v1/chat/completions    streamed (server-sent events) or whole
GET  /v1/models              the aliases this gateway knows
GET  /healthz                whether the process answers
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mgrd.clients.errors import CallError
from services.inference.gateway.directory import DatabaseDirectory
from services.inference.gateway.failures import of_call, of_triton
from services.inference.gateway.http.chat import read_chat
from services.inference.gateway.http.completions import chunks, completion
from services.inference.gateway.question import AUDIO_BYTES_MAX
from services.inference.gateway.reason import Reasoner
from services.inference.gateway.replies import Cancellation
from services.inference.gateway.servicer import POLICY, SERVICE
from services.inference.triton.errors import TritonError
from services.kit.auth import TokenTable, authorize
from services.kit.errors import InvalidArgument, ServiceError
from services.kit.status import internal
from services.kit.telemetry import span

BODY_BYTES_MAX = AUDIO_BYTES_MAX * 4 // 3 + 64 * 1024
_STATUS = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "FAILED_PRECONDITION": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class HttpDoor:
    """Background worker that serves HTTP on `host:port`."""

    name = "http"

    def __init__(
        self,
        listen: str,
        *,
        reasoner: Reasoner,
        directory: DatabaseDirectory,
        tokens: TokenTable,
        tls_cert: str = "",
        tls_key: str = "",
    ) -> None:
        """With a certificate the door speaks HTTPS alone."""
        self._listen = listen
        self._tls_cert, self._tls_key = tls_cert or None, tls_key or None
        self.app = application(reasoner=reasoner, directory=directory, tokens=tokens)

    def run(self, stopping: threading.Event) -> None:
        """Serves until told to stop."""
        host, _, port = self._listen.rpartition(":")
        config = uvicorn.Config(
            self.app,
            host=host,
            port=int(port),
            log_config=None,
            access_log=False,
            ssl_certfile=self._tls_cert,
            ssl_keyfile=self._tls_key,
        )
        server = uvicorn.Server(config)
        threading.Thread(target=lambda: _stop_when(stopping, server), daemon=True).start()
        server.run()


def _stop_when(stopping: threading.Event, server: uvicorn.Server) -> None:
    stopping.wait()
    server.should_exit = True


def application(*, reasoner: Reasoner, directory: DatabaseDirectory, tokens: TokenTable) -> Starlette:
    """The routes over a reasoner."""

    def admit(request: Request, method: str) -> None:
        authorize(tokens.caller(request.headers.get("authorization", "")), method=f"{SERVICE}/{method}", policy=POLICY)

    async def chat(request: Request) -> Response:
        admit(request, "Reason")
        asked = await run_in_threadpool(read_chat, await _body(request))
        cancellation = Cancellation()
        events = reasoner.reason(asked.question, cancellation=cancellation)
        if asked.stream:
            return await _streamed(chunks(events, model=asked.model), cancellation)
        body = await _while_connected(request, cancellation, lambda: completion(events, model=asked.model))
        return JSONResponse(body)

    async def models(request: Request) -> Response:
        admit(request, "ListDeployments")
        known = await run_in_threadpool(directory.snapshot)
        ids = [name.removeprefix("models/").replace("/aliases/", "@") for name in known.aliases]
        return JSONResponse({"object": "list", "data": [{"id": one, "object": "model"} for one in ids]})

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "serving"})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/models", models),
            Route("/healthz", health),
        ],
        middleware=[Middleware(Traced)],
        exception_handlers=dict.fromkeys((ServiceError, CallError, TritonError, Exception), _failure),
    )


class Traced:
    """Opens a span around each request, its stream included: a child of the caller's traceparent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        with span(f"{scope['method']} {scope['path']}", traceparent=Headers(scope=scope).get("traceparent", "")):
            return await self._app(scope, receive, send)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise InvalidArgument(f"the body is longer than {BODY_BYTES_MAX} bytes; send a shorter clip", field="body")
    return bytes(body)


async def _streamed(events: Iterator[dict[str, Any]], cancellation: Cancellation) -> Response:
    """The stream, once its first chunk is there: until then an error still gets a status of its own."""
    first = await run_in_threadpool(next, events)

    async def lines() -> AsyncIterator[str]:
        try:
            yield _line(first)
            async for chunk in iterate_in_threadpool(events):
                yield _line(chunk)
        except (ServiceError, CallError, TritonError) as error:
            yield _line(_error_body(_service_error(error)))
        finally:
            cancellation.pull()
        yield "data: [DONE]\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


def _line(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


async def _while_connected(
    request: Request, cancellation: Cancellation, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Runs `work` beside the event loop; a caller who leaves stops the reply."""
    task = asyncio.create_task(run_in_threadpool(work))
    while not (await asyncio.wait({task}, timeout=0.1))[0]:
        if await request.is_disconnected():
            cancellation.pull()
    return task.result()


async def _failure(_request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=499)
    known = _service_error(error)
    headers = {"retry-after": str(max(1, round(known.retry_after_s)))} if hasattr(known, "retry_after_s") else None
    return JSONResponse(_error_body(known), status_code=_STATUS.get(known.code, 500), headers=headers)


def _service_error(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, TritonError):
        return of_triton(error)
    if isinstance(error, CallError):
        return of_call(error)
    return internal(error)


def _error_body(error: ServiceError) -> dict[str, Any]:
    return {
        "error": {
            "message": error.message,
            "type": error.code.lower(),
            "param": getattr(error, "field", None),
            "code": error.reason,
        }
    }
