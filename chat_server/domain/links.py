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


FAMILY_WORDS: Final = {
    "photos": ("写真", "photos"),
    "documents": ("文書(PDF、Word、Excel、PowerPointなど)", "documents (PDF, Word, Excel, PowerPoint …)"),
    "drawings": ("図面(DXF、DWG、JWW、SXF)", "drawings (DXF, DWG, JWW, SXF)"),
    "films": ("動画(MP4、MOV)", "films (MP4, MOV)"),
    "archives": ("圧縮ファイル(ZIP)", "archives (ZIP)"),
    "mail": ("メール(eml、msg)", "saved mail (eml, msg)"),
}
"""For people outside."""

_ENDINGS: Final = {
    "photos": "jpg jpeg jpe png gif webp tif tiff bmp heic heif",
    "documents": "pdf docx docm dotx xlsx xlsm xltx pptx pptm ppsx potx doc xls ppt rtf odt ods odp csv tsv txt md log htm html",
    "drawings": "dxf dwg jww sfc p21",
    "films": "mp4 m4v mov qt",
    "archives": "zip",
    "mail": "eml msg",
    "others": "jtd jtt xdw xbd",
}
FAMILY_BY_ENDING: Final = {ending: family for family, endings in _ENDINGS.items() for ending in endings.split()}
"""What a file's name promises (`sanitizing.kinds` has the same, and more)."""

NEVER: Final = frozenset(
    [
        "exe",
        "dll",
        "msi",
        "msix",
        "com",
        "scr",
        "cpl",
        "sys",
        "ocx",
        "apk",
        "lnk",
        "iso",
        "img",
        "vhd",
        "vhdx",
        "dmg",
        "7z",
        "rar",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "cab",
        "lzh",
        "tar",
    ]
)
"""Endings of files whose content could be nothing that anybody takes: programs, images of disks, archives but ZIP. What has another
ending that nobody knows is looked at once it is here."""


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
