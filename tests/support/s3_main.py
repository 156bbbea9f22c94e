"""A process that is an S3 server: moto's, one request at a time, with a door for what no client of S3 can do.

POST /-door-/age?bucket=&key=&seconds=     make an object older
POST /-door-/fail?times=&status=&skip=     answer the next requests (after the first `skip`) with an error, without doing them
POST /-door-/lose?times=&method=           do the next requests of a method, and answer with an error all the same
POST /-door-/hang?seconds=                 keep every request waiting for so long
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

Start = Callable[..., Any]


class Door:
    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._fail = self._skip = self._lose = 0
        self._status = "503"
        self._method = ""
        self._hang = 0.0

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/-door-/"):
            self._open(environ["PATH_INFO"].rpartition("/")[2], dict(parse_qsl(environ["QUERY_STRING"])))
            start("204 Done", [])
            return []
        time.sleep(self._hang)
        with self._lock:
            if self._fail and self._skip:
                self._skip -= 1
            elif self._fail:
                self._fail -= 1
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                return self._refused(start)
            if self._lose and environ["REQUEST_METHOD"] == self._method:
                self._lose -= 1
                b"".join(self._app(environ, lambda *args: None))
                return self._refused(start)
            return list(self._app(environ, start))

    def _refused(self, start: Start) -> Iterable[bytes]:
        start(f"{self._status} Refused", [("Content-Length", "0")])
        return []

    def _open(self, what: str, query: dict[str, str]) -> None:
        with self._lock:
            match what:
                case "age":
                    (backend,) = [each for account in s3_backends.values() for each in account.values()
                                  if query["bucket"] in each.buckets]  # fmt: skip
                    found = backend.buckets[query["bucket"]].keys[query["key"]]
                    found.last_modified -= timedelta(seconds=int(query["seconds"]))
                case "fail":
                    self._fail, self._skip = int(query["times"]), int(query.get("skip", "0"))
                    self._status = query.get("status", "503")
                case "lose":
                    self._lose, self._method = int(query["times"]), query.get("method", "")
                    self._status = "503"
                case "hang":
                    self._hang = float(query["seconds"])


def main() -> None:
    server = make_server("127.0.0.1", 0, Door(), threaded=True)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
