"""What is made of documents. Shared by the server and its decoders; no library for documents."""

from __future__ import annotations

from typing import Final, Literal

from chat_server.domain.zones import MORE_PAGES, PREVIEW, THUMBNAIL

PREVIEW_EDGE: Final = 1600
THUMBNAIL_EDGE: Final = 320
TEXT_BYTES: Final = 2 << 20
"""UTF-8 bytes of a document's text that are kept; the rest is left out."""

PICTURES: Final = (THUMBNAIL, PREVIEW, *MORE_PAGES)
"""The renditions that show pages, in the order of a decoder's outputs."""

Reason = Literal["broken", "encrypted", "not_text", "too_large", "empty"]
"""Why a document has no picture or no text. broken: cut off, or not what its first bytes say. encrypted: needs a
password. not_text: in no encoding that fits. too_large: unpacks to more than is looked at. empty: there is nothing."""
