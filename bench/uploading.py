"""A client that uploads by tus and does nothing else: `python -m bench.uploading PORT TOKENS BYTES`.

TOKENS is a file with an access token a line; each uploads one file of BYTES, all at once, in one PATCH. Prints the
seconds from the first byte of the first request to the last answer. The bytes come from a file in the page cache by
sendfile, so that making them costs nothing; every client sends the same file after eight bytes of its own, because
bytes that are there already would be kept once.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import tempfile
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from bench.processes import BUILD, BenchError

_TIMEOUT = 300


def upload(port: int, token: str, file: BinaryIO, size: int) -> None:
    """Raises `BenchError` unless every byte was taken."""
    own = secrets.token_bytes(8)
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
        name = b64encode("図面一式.bin".encode()).decode()
        request = [
            "POST /api/uploads HTTP/1.1",
            f"Upload-Length: {size}",
            f"Upload-Metadata: filename {name}",
            "Content-Length: 0",
        ]
        connection.sendall(_head(request, token))
        head = _answer(connection)
        if head.get("status") != "201":
            raise BenchError(f"the upload was not created: {head}")
        place = "/" + head["location"].split("/", 3)[3] if "://" in head["location"] else head["location"]
        request = [
            f"PATCH {place} HTTP/1.1",
            "Upload-Offset: 0",
            "Content-Type: application/offset+octet-stream",
            f"Content-Length: {size}",
        ]
        connection.sendall(_head(request, token) + own)
        connection.settimeout(None)  # sendfile(2) wants a socket that blocks
        sent = len(own)
        while sent < size:
            sent += os.sendfile(connection.fileno(), file.fileno(), sent, min(size - sent, 1 << 24))
        head = _answer(connection)
        if head.get("status") != "204" or head.get("upload-offset") != str(size):
            raise BenchError(f"the upload was not taken: {head}")


def _head(request: list[str], token: str) -> bytes:
    lines = [*request, "Host: 127.0.0.1", f"Authorization: Bearer {token}", "Tus-Resumable: 1.0.0", "", ""]
    return "\r\n".join(lines).encode()


def _answer(connection: socket.socket) -> dict[str, str]:
    """The status and the headers; a body is read and forgotten."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise BenchError(f"the server hung up: {data!r}")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    found["status"] = first.split()[1]
    left = int(found.get("content-length", 0)) - len(body)
    while left > 0:
        left -= len(connection.recv(left))
    return found


def source(size: int) -> BinaryIO:
    """A file of `size` random bytes without a name, in the page cache."""
    file = tempfile.TemporaryFile(dir=BUILD)  # noqa: SIM115 (whoever asked closes it)
    block = os.urandom(1 << 20)
    for _ in range(-(-size // len(block))):
        file.write(block)
    file.flush()
    os.fdatasync(file.fileno())
    return file


def main() -> None:
    port, tokens, size = int(sys.argv[1]), Path(sys.argv[2]).read_text().split(), int(sys.argv[3])
    with source(size) as file, ThreadPoolExecutor(len(tokens)) as threads:
        begun = time.perf_counter()
        for done in [threads.submit(upload, port, token, file, size) for token in tokens]:
            done.result()
        print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
