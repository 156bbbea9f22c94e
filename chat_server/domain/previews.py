"""What is made of a file, by its media type: pictures to look at, and its text."""

from __future__ import annotations

from typing import Final

from chat_server.domain.zones import MORE_PAGES, PREVIEW, TEXT, THUMBNAIL

PDF: Final = "application/pdf"
PHOTOS: Final = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp", "image/heic"))
_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = "application/vnd.oasis.opendocument."

PACKAGES: Final = {
    f"{_OOXML}wordprocessingml.document": ".docx",
    f"{_OOXML}spreadsheetml.sheet": ".xlsx",
    f"{_OOXML}presentationml.presentation": ".pptx",
    "application/vnd.ms-word.document.macroenabled.12": ".docm",
    "application/vnd.ms-excel.sheet.macroenabled.12": ".xlsm",
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": ".pptm",
}
"""Office documents whose text is read here; their pictures need the helper."""
LEGACY: Final = {
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/rtf": ".rtf",
    f"{_ODF}text": ".odt",
    f"{_ODF}spreadsheet": ".ods",
    f"{_ODF}presentation": ".odp",
}
"""Office documents that the helper alone can read."""


def expected(media_type: str) -> tuple[str, ...]:
    """The kinds of rendition that are tried for a file of this type; none for an archive or what is not known."""
    media_type = media_type.lower()
    if media_type in PHOTOS:
        return THUMBNAIL, PREVIEW
    if media_type == PDF or media_type in PACKAGES or media_type in LEGACY:
        return THUMBNAIL, PREVIEW, TEXT
    return (TEXT,) if is_text(media_type) else ()


def is_text(media_type: str) -> bool:
    return media_type.startswith("text/")


RENDITION_TYPES: Final = {THUMBNAIL: "image/webp", PREVIEW: "image/jpeg", TEXT: "text/plain"} | dict.fromkeys(
    MORE_PAGES, "image/jpeg"
)
