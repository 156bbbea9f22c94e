"""The text of a PDF: a `decoders.worker.Work`."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import IO, Any, Final

import pypdfium2

from chat_server.documents import pdf
from chat_server.documents.rules import Reason
from chat_server.documents.words import Collector, Full, write

MEMORY_BYTES: Final = 1 << 30
BROKEN: Final[Reason] = "too_large"
_PART: Final = 0.5
"""Of the processor time that a child has: after it no further page is begun, and what was found until then is kept."""

prepare = pdf.prepare


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    """Raises `Refused`."""
    collector = Collector()
    allowed, _ = resource.getrlimit(resource.RLIMIT_CPU)
    end = float("inf") if allowed == resource.RLIM_INFINITY else allowed * _PART
    with pdf.opened(source) as document, suppress(Full):
        for at in range(len(document)):
            if time.process_time() > end:
                break
            with suppress(pypdfium2.PdfiumError):
                collector.add(_text(document, at))
                collector.add("\n\n")
    return write(collector.text(), outputs[0])


def _text(document: pypdfium2.PdfDocument, at: int) -> str:
    page = document[at]
    try:
        words: str = page.get_textpage().get_text_bounded()
        return words
    finally:
        page.close()
