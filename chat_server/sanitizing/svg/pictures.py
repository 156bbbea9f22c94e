"""The pictures that an SVG carries: of a kind that the painter decodes, and all together no larger than one may be."""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from typing import Final
from urllib.parse import unquote_to_bytes

from PIL import Image, UnidentifiedImageError

from chat_server.decoders.outcome import Refused
from chat_server.photos.rules import MAX_PIXELS
from chat_server.sanitizing.report import Object

_DATA: Final = re.compile(r"data:(?P<type>[^,]{0,200}),", re.IGNORECASE)
_KINDS: Final = ("PNG", "JPEG", "GIF", "WEBP")


class Pictures:
    """Of one SVG."""

    def __init__(self) -> None:
        self._pixels = 0
        self._carried: dict[str, str] = {}

    def refused(self, address: str) -> Object | None:
        """What a picture is that may not stay. Raises `Refused` ("too_many_pixels")."""
        if not _DATA.match(address):
            return "link"
        data = _decoded(address)
        if data is None:
            return "image"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=_KINDS) as picture:
                    kind, (width, height) = (picture.format or "").lower(), picture.size
        except Image.DecompressionBombError:
            raise Refused("too_many_pixels") from None
        except UnidentifiedImageError:
            # an SVG within, a page, or anything else
            return "embedded"
        except (OSError, SyntaxError, ValueError, EOFError):
            return "image"
        self._pixels += width * height
        if self._pixels > MAX_PIXELS:
            raise Refused("too_many_pixels")
        self._carried[address] = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        return None

    def carried(self, address: str) -> str:
        """One that may stay, called what it is: the painter would believe another name."""
        return self._carried[address]


def _decoded(address: str) -> bytes | None:
    head, _, body = address.partition(",")
    try:
        if head.lower().endswith(";base64"):
            return base64.b64decode(re.sub(r"\s+", "", body), validate=True)
        return unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return None
