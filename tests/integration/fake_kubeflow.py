"""A Kubeflow Pipelines API server that keeps runs in memory and moves them on when a test says so."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

_API = "/apis/v2beta1"


class FakeKubeflow:
    """The server's state."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.retries = 0
        self.address = ""

    def set_state(self, name: str, state: str, error: str = "") -> None:
        """Moves the run of that name on."""
        run = next(run for run in self.runs.values() if run["display_name"] == name)
        run["state"] = state
        if error:
            run["error"] = {"code": 2, "message": error}

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """The answer to a GET."""
        if path == f"{_API}/healthz":
            return 200, {"multi_user": False}
        if path == f"{_API}/experiments":
            return 200, {"experiments": [{"experiment_id": "e1", "display_name": "mgrd"}]}
        if path == f"{_API}/runs":
            wanted = json.loads(query["filter"][0])["predicates"][0]["stringValue"]
            return 200, {"runs": [run for run in self.runs.values() if run["display_name"] == wanted]}
        run = self.runs.get(path.removeprefix(f"{_API}/runs/"))
        return (200, run) if run else (404, {"code": 5, "message": "no such run"})

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to a POST."""
        if path == f"{_API}/runs":
            run = {**body, "run_id": str(uuid.uuid4()), "state": "RUNNING"}
            self.runs[run["run_id"]] = run
            return 200, run
        run_id, _, verb = path.removeprefix(f"{_API}/runs/").partition(":")
        if run_id not in self.runs:
            return 404, {"code": 5, "message": "no such run"}
        self.runs[run_id]["state"] = {"terminate": "CANCELED", "retry": "RUNNING"}[verb]
        self.retries += verb == "retry"
        return 200, {}


@contextmanager
def fake_kubeflow() -> Iterator[FakeKubeflow]:
    """A running server on a free port."""
    state = FakeKubeflow()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlparse(self.path)
            self._answer(*state.get(parts.path, parse_qs(parts.query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(*state.post(urlparse(self.path).path, json.loads(body or b"{}") or {}))

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
