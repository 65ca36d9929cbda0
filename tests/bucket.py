"""A bucket: a server that speaks as much of S3 as storage asks of it, over HTTP, without looking at
signatures."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

Objects = dict[str, tuple[bytes, datetime]]  # by key
BUCKET = "bucket"


class _Answering(BaseHTTPRequestHandler):
    """One bucket, whose objects are those of its class."""

    protocol_version = "HTTP/1.1"
    objects: Objects
    parts: dict[int, bytes]  # of the one upload that is under way
    spoils = False  # gives other bytes than it was given

    def log_message(self, format: str, *arguments: object) -> None:
        """Not in the output of tests."""

    @property
    def key(self) -> str:
        """Behind the name of the bucket."""
        return unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").lstrip("/")

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the address."""
        pairs = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_PUT(self) -> None:
        body = self._body()
        if part := self.asked.get("partNumber"):
            self.parts[int(part)] = body
        else:
            self.objects[self.key] = (body, datetime.now(UTC))
        self._answer(200)

    def do_POST(self) -> None:
        """Some objects go; or an upload in parts begins, or is complete and so an object."""
        body = self._body()
        if "delete" in self.asked:
            keys = [each.text or "" for each in ElementTree.fromstring(body).iterfind(".//{*}Key")]
            for key in keys:  # what was not there is gone as well
                self.objects.pop(key, None)
            gone = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
            return self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())
        if "uploads" in self.asked:
            self.parts.clear()
            return self._answer(200, b"<R><UploadId>one</UploadId></R>")
        whole = b"".join(self.parts[number] for number in sorted(self.parts))
        self.objects[self.key] = (whole, datetime.now(UTC))
        return self._answer(200, b'<R><ETag>"x"</ETag></R>')

    def do_GET(self) -> None:
        if "list-type" in self.asked:
            return self._answer(200, self._listing(self.asked.get("prefix", "")))
        if self.key not in self.objects:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        body, at = self.objects[self.key]
        return self._answer(200, body[::-1] if self.spoils else body, at)

    def _listing(self, prefix: str) -> bytes:
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{at.isoformat()}</LastModified>"
            f'<ETag>"x"</ETag><Size>{len(body)}</Size></Contents>'
            for key, (body, at) in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return (
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()
        )

    def _answer(self, status: int, body: bytes = b"", at: datetime | None = None) -> None:
        self.send_response(status)
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", format_datetime(at or datetime.now(UTC), usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def asking(address: str) -> dict[str, str]:
    """The environment of who uses it."""
    return {
        "AWS_ENDPOINT": address, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
    }  # fmt: skip


@contextmanager
def bucket(*, spoils: bool = False) -> Generator[tuple[str, Objects]]:
    """Its address, and what is in it."""

    class Answering(_Answering):
        objects: Objects = {}
        parts: dict[int, bytes] = {}

    Answering.spoils = spoils

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", Answering.objects
        finally:
            server.shutdown()
            thread.join()
