"""A small S3 on loopback, as much of the protocol as a content store uses; it counts what is asked of it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape


@dataclass
class FakeS3:
    """What the server holds."""

    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    url: str = ""


@contextmanager
def s3_server() -> Iterator[FakeS3]:
    """Runs the server; every bucket exists."""
    state = FakeS3()
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: FakeS3

    def do_GET(self) -> None:
        key, query = self._target()
        if "list-type" in query:
            return self._list(query.get("prefix", [""])[0])
        return self._object(key, body=True)

    def do_HEAD(self) -> None:
        self._object(self._target()[0], body=False)

    def do_DELETE(self) -> None:
        self.state.objects.pop(self._target()[0], None)
        self._answer(204, b"")

    def do_PUT(self) -> None:
        key, query = self._target()
        content = self._body()
        if "x-amz-copy-source" in self.headers:
            self.state.calls["copy"] += 1
            content = self.state.objects[unquote(self.headers["x-amz-copy-source"]).split("/", 1)[1]][0]
        if "partNumber" in query:
            self.state.calls["part"] += 1
            self.state.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = content
        else:
            self.state.calls["put"] += 1
            self._keep(key, content)
        self._answer(200, b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>" if not content else b"<R/>")

    def do_POST(self) -> None:
        key, query = self._target()
        if "uploads" in query:
            upload = f"u{len(self.state.uploads)}"
            self.state.uploads[upload] = {}
            body = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        else:
            ET.fromstring(self._body())
            parts = self.state.uploads.pop(query["uploadId"][0])
            self._keep(key, b"".join(parts[number] for number in sorted(parts)))
            body = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        self._answer(200, body.encode())

    def _keep(self, key: str, content: bytes) -> None:
        self.state.objects[key] = (content, datetime.now(UTC))

    def _object(self, key: str, *, body: bool) -> None:
        if key not in self.state.objects:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if body else b"")
        content, _ = self.state.objects[key]
        return self._answer(200, content, send=body)

    def _list(self, prefix: str) -> None:
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size>"
            f"<LastModified>{stored.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}</LastModified></Contents>"
            for key, (content, stored) in sorted(self.state.objects.items())
            if key.startswith(prefix)
        )
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode())

    def _target(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return unquote(parts.path).lstrip("/").partition("/")[2], parse_qs(parts.query, keep_blank_values=True)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, content: bytes, *, send: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"e"')
        self.end_headers()
        if send:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
