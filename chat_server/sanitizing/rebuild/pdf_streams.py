"""The bytes of a stranger's streams, decoded within bounds.

The threats: a few kilobytes that unpack to gigabytes (also several filters deep, also thousands of small ones), data in another file
(`/F`, ISO 32000-1, 7.3.8.2), filters that nobody needs. qpdf's own limits are set too (`limited`), for what it unpacks
by itself: object streams and cross-reference streams.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary, Name, Object

from chat_server.decoders.outcome import Refused

LARGEST: Final = 256 << 20
"""Of one stream, decoded."""
IN_ALL: Final = 1 << 30

_FILTERS: Final = {
    "/FlateDecode": "flate", "/Fl": "flate", "/LZWDecode": "lzw", "/LZW": "lzw", "/ASCII85Decode": "a85", "/A85": "a85",
    "/ASCIIHexDecode": "hex", "/AHx": "hex", "/RunLengthDecode": "rl", "/RL": "rl", "/DCTDecode": "dct", "/DCT": "dct",
    "/CCITTFaxDecode": "ccitt", "/CCF": "ccitt", "/JBIG2Decode": "jbig2", "/JPXDecode": "jpx",
}  # fmt: skip
_OF_PICTURES: Final = frozenset(("dct", "ccitt", "jbig2", "jpx"))
_FULL: Final = {"flate": Name.FlateDecode, "lzw": Name.LZWDecode, "a85": Name.ASCII85Decode, "hex": Name.ASCIIHexDecode,
                "rl": Name.RunLengthDecode}  # fmt: skip
_MOST_FILTERS: Final = 6
_LONG: Final = 200_000
_OVER: Final = "limit exceeded"
_PARAMETERS: Final = ("/Predictor", "/Colors", "/BitsPerComponent", "/Columns", "/EarlyChange")


class Unreadable(Exception):
    """This stream cannot be decoded. The caller decides whether the page does without it."""


class External(Unreadable):
    """Its data lies outside the file."""


class Decoded(NamedTuple):
    """`codec`: the filter of pictures that remains, with its `parameters`."""

    data: bytes
    codec: str | None = None
    parameters: Object | None = None


@contextmanager
def limited() -> Iterator[None]:
    """Bounds for what qpdf unpacks; it keeps them for the process, so the earlier ones are restored."""
    settings = pikepdf.settings
    before = settings.set_qpdf_limits(
        flate_max_memory=LARGEST, png_max_memory=LARGEST, run_length_max_memory=LARGEST, tiff_max_memory=LARGEST,
        max_stream_filters=_MOST_FILTERS, parser_max_nesting=100,
        parser_max_container_size=4_000_000,
    )  # fmt: skip
    try:
        yield
    finally:
        settings.set_qpdf_limits(**before)  # type: ignore[arg-type]


def deflated(data: bytes) -> bytes:
    """As small as programs commonly make it; of large ones (drawings) a hundredth is given away for half of the time."""
    return zlib.compress(data, 6 if len(data) < _LONG else 5)


def said(name: object) -> str:
    """A name as text; "" where it is none, or one that no list here could contain."""
    if not isinstance(name, Object) or not isinstance(name, Name):
        return ""
    try:
        return str(name)
    except UnicodeDecodeError:
        return ""


def entry(container: Object, key: str) -> object:
    """What stands at a key of a dictionary or stream, as pikepdf gives it: numbers and truth values are Python's. Takes keys in any
    encoding (Japanese fonts have names in Shift_JIS), which `get` of pikepdf does not."""
    return container[key] if key in container else None  # noqa: SIM401


def keys(container: Object) -> list[str]:
    """Of a dictionary or stream."""
    return list(container.keys())


class Streams:
    """Decodes the streams of one document and keeps count of what came out."""

    def __init__(self) -> None:
        self._left = IN_ALL
        self._scratch = pikepdf.new()

    def spend(self, size: int) -> None:
        """Raises `Refused`."""
        self._left -= size
        if size > LARGEST or self._left < 0:
            raise Refused("too_large")

    def read(self, stream: Object) -> bytes:
        """All of it. Raises `Unreadable`, `Refused`."""
        decoded = self.decode(stream)
        if decoded.codec is not None:
            raise Unreadable
        return decoded.data

    def decode(self, stream: Object) -> Decoded:
        """As far as a filter of pictures. Raises `Unreadable`, `Refused`."""
        if "/F" in stream:
            raise External
        filters = [_FILTERS.get(said(each), "") for each in _listed(stream.get("/Filter"))]
        if "" in filters or len(filters) > _MOST_FILTERS:
            raise Unreadable
        parameters = _listed(stream.get("/DecodeParms", stream.get("/DP")))
        parameters += [None] * (len(filters) - len(parameters))
        try:
            data = bytes(stream.read_raw_bytes())
        except (pikepdf.PdfError, RuntimeError):
            raise Unreadable from None
        self.spend(len(data))
        for at, (filter_, detail) in enumerate(zip(filters, parameters, strict=False)):
            if filter_ in _OF_PICTURES:
                if at != len(filters) - 1:
                    raise Unreadable
                return Decoded(data, filter_, detail if isinstance(detail, Dictionary) else None)
            data = self._undone(data, filter_, detail)
            self.spend(len(data))
        return Decoded(data)

    def packed(self, stream: Object) -> tuple[bytes, Dictionary | None, int] | None:
        """The bytes of a plain Flate stream as they are, without what hides behind their end, with what undoes the predictor, and
        how many they unpack to; None where it is anything else. They were unpacked once, to see that they can be.
        Raises `Refused`."""
        if "/F" in stream or [_FILTERS.get(said(each)) for each in _listed(stream.get("/Filter"))] != ["flate"]:
            return None
        detail = _listed(stream.get("/DecodeParms", stream.get("/DP"))) or [None]
        data = bytes(stream.read_raw_bytes())
        unpacking = zlib.decompressobj()
        size, piece = 0, data
        try:
            while piece and not unpacking.eof:
                size += len(unpacking.decompress(piece, 1 << 20))
                if size > LARGEST:
                    raise Refused("too_large")
                piece = unpacking.unconsumed_tail
        except zlib.error:
            return None
        self.spend(size)
        if not unpacking.eof:
            return None
        return data[: len(data) - len(unpacking.unused_data)], _plain(detail[0]), size

    def _undone(self, data: bytes, filter_: str, detail: Object | None) -> bytes:
        plain = _plain(detail)
        if filter_ == "flate" and plain is None:
            return inflated(data)
        stream = self._scratch.make_stream(data, Filter=_FULL[filter_])
        if plain is not None:
            stream.DecodeParms = plain
        try:
            return bytes(stream.read_bytes())
        except MemoryError:
            raise Refused("too_large") from None
        except (pikepdf.PdfError, RuntimeError) as error:
            if _OVER in str(error):
                raise Refused("too_large") from None
            raise Unreadable from None
        finally:
            stream.write(b"")


def _listed(value: object) -> list[Object | None]:
    if value is None:
        return []
    if isinstance(value, Array):
        if len(value) > _MOST_FILTERS:
            raise Unreadable
        return list(value)
    return [value] if isinstance(value, Object) else []


def _plain(detail: Object | None) -> Dictionary | None:
    """The parameters of a predictor (7.4.4.3), numbers only; None where there is no predictor."""
    if not isinstance(detail, Dictionary):
        return None
    numbers = {key: entry(detail, key) for key in _PARAMETERS}
    if numbers["/Predictor"] in (None, 1) and numbers["/EarlyChange"] is None:
        return None
    return Dictionary({key: value for key, value in numbers.items() if type(value) is int})


def inflated(data: bytes) -> bytes:
    """Raises `Unreadable`, `Refused`. A wrong sum at the end or a missing end is let pass, as readers do; wrong data is not."""
    try:
        unpacked = zlib.decompressobj().decompress(data, LARGEST + 1)
    except zlib.error:
        unpacked = _without_sum(data)
    if len(unpacked) > LARGEST:
        raise Refused("too_large")
    return unpacked


def _without_sum(data: bytes) -> bytes:
    if len(data) < 2 or data[0] & 0x0F != 8:
        raise Unreadable
    try:
        return zlib.decompressobj(-15).decompress(data[2:], LARGEST + 1)
    except zlib.error:
        raise Unreadable from None
