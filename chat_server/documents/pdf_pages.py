"""The first pages of a PDF as pictures: a `decoders.worker.Work`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any, Final

import pypdfium2
from PIL import Image

from chat_server.decoders.outcome import Refused
from chat_server.documents import pdf
from chat_server.documents.rules import PREVIEW_EDGE, THUMBNAIL_EDGE, Reason

MEMORY_BYTES: Final = 1 << 30
BROKEN: Final[Reason] = "too_large"

_MOST_SCALE: Final = 8.0
"""A page of the size of a stamp is not blown up to a poster."""
_MORE_SECONDS: Final = 6.0
"""Processor time after which no further page is begun: the first one is what counts."""


def prepare() -> None:
    """See `pdf`; and Pillow's writers."""
    pdf.prepare()
    Image.preinit()
    import PIL.WebPImagePlugin  # noqa: F401 - loaded here, for the confined process


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    """`outputs` in the order of `PICTURES`, as many pages as there are outputs for them. Raises `Refused`."""
    thumbnail_output, *page_outputs = outputs
    sizes: list[tuple[int, int]] = []
    color = ""
    with pdf.opened(source) as document:
        count = len(document)
        if not count:
            raise Refused("empty")
        for at, output in zip(range(count), page_outputs, strict=False):
            if at and time.process_time() > _MORE_SECONDS:
                break
            try:
                picture = _drawn(document, at)
            except pypdfium2.PdfiumError:
                if at:
                    break
                raise Refused("broken") from None
            picture.save(output, "JPEG", quality=82, subsampling="4:4:4")
            if not at:
                thumbnail = picture.copy()
                thumbnail.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE), Image.Resampling.BICUBIC, reducing_gap=2.0)
                thumbnail.save(thumbnail_output, "WEBP", quality=80)
                sizes.append(thumbnail.size)
                red, green, blue = thumbnail.resize((1, 1), Image.Resampling.BOX).tobytes()
                color = f"#{red:02x}{green:02x}{blue:02x}"
            sizes.append(picture.size)
    return {"pages": count, "color": color, "sizes": sizes}


def _drawn(document: pypdfium2.PdfDocument, at: int) -> Image.Image:
    """Raises PdfiumError, `Refused`."""
    page = document[at]
    try:
        longest, shortest = max(page.get_size()), min(page.get_size())
        # the size of the bitmap is decided here, not by the page; written so that NaN is refused too
        if not 0 < shortest <= longest < 1e6:
            raise Refused("broken")
        bitmap = page.render(scale=min(PREVIEW_EDGE / longest, _MOST_SCALE), rev_byteorder=True)
        picture: Image.Image = bitmap.to_pil()
        if picture.mode != "RGB":
            picture = picture.convert("RGB")
        # sizes are rounded up: one pixel too many at most
        return picture.crop((0, 0, min(picture.width, PREVIEW_EDGE), min(picture.height, PREVIEW_EDGE)))
    finally:
        page.close()
