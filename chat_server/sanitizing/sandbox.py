"""The work on a stranger's file, as a confined process knows it: a `decoders.worker.Work`.

Four tasks, each in a child of its own: `find` says what a file is, `unlock` opens it with its password, `rebuild` writes it anew (or
unpacks it), `check` looks at what was written. The report of a rebuild is long and may quote the file, so it is an output of its own,
which the engine reads by its shape.
"""

from __future__ import annotations

import codecs
import io
import resource
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from encodings.aliases import aliases
from typing import IO, Any, Final

import msgspec
import pyzipper
from PIL import Image

from chat_server.decoders.outcome import Refused
from chat_server.documents import pdf as fonts
from chat_server.documents import plain
from chat_server.photos.decode import prepare_libraries
from chat_server.sanitizing import kinds
from chat_server.sanitizing.check.looking import look
from chat_server.sanitizing.order import Member, Order, Task
from chat_server.sanitizing.rebuild import (
    archive,
    films,
    html,
    images,
    mail,
    ooxml,
    outlook,
    pdf,
    pdf_flatten,
    text,
    unlocking,
)
from chat_server.sanitizing.report import Rebuilt

MEMORY_BYTES: Final = None
BROKEN: Final = "too_large"


_MAIL: Final = """Subject: =?iso-2022-jp?B?GyRCP15MTBsoQg==?=
From: =?utf-8?Q?=E3=81=82?= <a@example.jp>
Date: Mon, 3 Nov 2025 14:05:09 +0900
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="-"

---
Content-Type: text/html; charset=iso-2022-jp

<p>あ&amp;</p>
---
Content-Type: image/png
Content-Disposition: attachment; filename*=utf-8''%E3%81%82.png
Content-Transfer-Encoding: base64

AAAA
-----
"""
"""Of everything a little: what it is read with is imported at first use."""


def prepare() -> None:
    """Load the libraries, and one tiny file of several kinds: parts of them are imported at first use."""
    prepare_libraries()
    plain.prepare()
    fonts.prepare()  # of this machine: what a PDF does not carry is drawn with them
    for name in ("Tiff", "Bmp"):
        __import__(f"PIL.{name}ImagePlugin")
    for kind in ("jpeg", "png", "gif", "webp", "tiff", "bmp"):
        sample, made = io.BytesIO(), io.BytesIO()
        Image.new("RGB", (8, 8)).save(sample, images.CONTAINERS[kind])
        images.rebuild(sample, made, Order(kind))
        look(made, kind)
    _unpack_one()
    unlocking.prepare()
    mail.unpack(io.BytesIO(_MAIL.encode("iso2022_jp")), io.BytesIO())


def _unpack_one() -> None:
    """The unpacker, its ciphers, and every encoding: names in archives and mails are in any of them."""
    sample = io.BytesIO()
    with pyzipper.AESZipFile(sample, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as packed:
        packed.setpassword(b"sample")
        packed.writestr("sample.txt", b"sample")
    archive.unpack(sample, io.BytesIO(), "sample")
    for encoding in sorted({*aliases.values(), "cp437"}):
        with suppress(LookupError):  # those of other systems
            codecs.lookup(encoding)


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    """Outputs: the file, and the report as JSON. Raises `Refused`."""
    task = msgspec.json.decode(order, type=Task)
    _take_no_more_than(task.seconds)
    made, told = outputs
    if task.task == "find":
        return {"kind": kinds.found(source, task.name)}
    if task.task == "unlock":
        unlocking.unlock(source, made, task.order.password)
        return {"kind": None}
    if task.task == "check":
        found = look(source, task.order.kind)
        told.write(msgspec.json.encode([each[:200] for each in found[:100]]))
        return {"kind": task.order.kind}
    if task.order.kind in kinds.HOLDERS:
        members = _unpacked(source, made, task.order)
        told.write(msgspec.json.encode(members))
        return {"kind": "zip"}
    rebuilt = _rebuilt(source, made, task.order)
    told.write(msgspec.json.encode(rebuilt))
    return {"kind": rebuilt.kind}


def _take_no_more_than(seconds: int) -> None:
    """Within what the confinement allows (the signal is SIGXCPU, as there)."""
    allowed, most = resource.getrlimit(resource.RLIMIT_CPU)
    if allowed == resource.RLIM_INFINITY or seconds < allowed:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))


def _unpacked(source: IO[bytes], made: IO[bytes], order: Order) -> list[Member]:
    match order.kind:
        case "zip":
            return archive.unpack(source, made, order.password)
        case "msg":
            return outlook.unpack(source, made)
    return mail.unpack(source, made)


def _rebuilt(source: IO[bytes], made: IO[bytes], order: Order) -> Rebuilt:
    match order.kind:
        case "pdf":
            return pdf_flatten.flatten(source, made, order) if order.flatten else pdf.rebuild(source, made, order)
        case "docx" | "xlsx" | "pptx":
            return ooxml.rebuild(source, made, order)
        case "text" | "csv":
            return text.rebuild(source, made, order)
        case "html":
            return html.rebuild(source, made, order)
        case "mp4" | "mov":
            return films.rebuild(source, made, order)
        case kind if kind in images.CONTAINERS:
            return images.rebuild(source, made, order)
    raise Refused("unknown")
