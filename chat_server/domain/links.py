"""Links by which people without an account hand in files: their states, and what may be asked for."""

from __future__ import annotations

from typing import Final, Literal

State = Literal["new", "open", "opened", "received", "done", "expired", "revoked"]
"""new: nobody has the address yet; open: it was given out; opened: a visit was begun; received: files came, and more may; done: nothing
more comes; expired: the deadline passed; revoked: taken back."""

FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "photos": ("jpeg", "png", "gif", "webp", "tiff", "bmp", "heic"),
    "documents": (
        "pdf",
        "docx",
        "xlsx",
        "pptx",
        "doc",
        "xls",
        "ppt",
        "rtf",
        "odt",
        "ods",
        "odp",
        "csv",
        "text",
        "html",
    ),
    "drawings": ("dxf", "dwg", "jww", "sfc", "p21"),
    "films": ("mp4", "mov"),
    "archives": ("zip",),
    "mail": ("eml", "msg"),
}
"""What the asker may allow, and the kinds of `sanitizing.kinds` that it stands for."""

OTHERS: Final = ("jtd", "xdw", "xbd")
"""Documents that nobody can take apart (一太郎, DocuWorks): refused, or handed over as they came once somebody has approved."""


def state_of(
    now: int,
    *,
    given: bool,
    ends_at: int,
    opened_at: int | None,
    files: int,
    done_at: int | None,
    revoked_at: int | None,
) -> State:
    """Of a link. `given`: an address was given out; `files`: that are whole. Times in UTC milliseconds."""
    if revoked_at is not None:
        return "revoked"
    if done_at is not None:
        return "done"
    if now >= ends_at:
        return "expired"
    if files:
        return "received"
    if opened_at is not None:
        return "opened"
    return "open" if given else "new"
