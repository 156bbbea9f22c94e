"""Two-color pictures in fax coding (ITU-T T.4 and T.6; ISO 32000-1, 7.4.6).

Group 4, which nearly every scan is, is decoded once to see that it can be, and copied: encoding 50 pages anew costs seconds, and the coding
is runs of two colors without markers, lengths or tables that an attacker could bend. Everything else of fax goes through
`pdf_images`, which encodes it anew.
"""

from __future__ import annotations

import io
import struct

from PIL import Image

_LONG = 4


def group4(bits: Image.Image) -> bytes:
    """A set bit is coded as black."""
    output = io.BytesIO()
    bits.save(output, "TIFF", compression="group4", tiffinfo={278: bits.height})
    with Image.open(output) as saved:
        (start,), (length,) = saved.tag_v2[273], saved.tag_v2[279]  # type: ignore[attr-defined]
    return output.getvalue()[start : start + length]


def is_group4(data: bytes, width: int, height: int) -> bool:
    """Whether that is a picture of this size."""
    fields = (
        (256, width),
        (257, height),
        (258, 1),
        (259, 4),
        (262, 0),
        (273, 8 + 2 + 8 * 12 + 4),
        (278, height),
        (279, len(data)),
    )
    directory = b"".join(struct.pack("<HHII", tag, _LONG, 1, value) for tag, value in fields)
    written = b"II*\0" + struct.pack("<IH", 8, len(fields)) + directory + b"\0\0\0\0" + data
    try:
        with Image.open(io.BytesIO(written), formats=("TIFF",)) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return True
