"""What became of a file: the shape of a report, and of what a confined rebuilder may say."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

Action = Literal["rebuilt", "converted", "flattened", "passed", "refused"]
Object = Literal[
    "macro", "script", "action", "link", "embedded", "attachment", "form", "field", "formula", "control", "multimedia",
    "annotation", "signature", "external_data", "custom_data", "printer_settings", "vector_image", "metadata", "place",
    "thumbnail", "comment", "history", "characters", "trailing", "layer", "font", "image", "part", "element", "file",
]  # fmt: skip
"""What may be taken out of a file; `words.REMOVED` says each for people."""
Warning_ = Literal[
    "signature_void", "macros_gone", "links_gone", "formulas_quoted", "fonts_replaced", "animation_gone", "layers_fixed",
    "values_kept", "converted_from_old", "parts_left_out", "pages_are_pictures", "pictures_gone", "encoding_guessed", "forms_fixed",
    "not_scanned", "no_preview", "not_examined",
]  # fmt: skip
"""What the reader should know of the rebuilt file; `words.WARNINGS` says each for people."""

MOST_REMOVED: Final = 500
"""Lines of a report; what would be more is counted together."""

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class Removed(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One thing, or several alike, that the rebuilt file does not have. `name`: where it was, or what it was called, as far as
    that is fit to be shown; `sha256`: of its bytes, where it was one thing with bytes of its own."""

    object: Object
    name: Name = ""
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    sha256: Sha256 | None = None


class Rebuilt(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a rebuilder says of its output, which lies beside it. `kind`: of the output (see `kinds`)."""

    kind: Annotated[str, msgspec.Meta(max_length=16)]
    removed: Annotated[list[Removed], msgspec.Meta(max_length=MOST_REMOVED)] = []
    warnings: Annotated[list[Warning_], msgspec.Meta(max_length=32)] = []


class Told(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a program says before its output: one of the two."""

    rebuilt: Rebuilt | None = None
    reason: Annotated[str, msgspec.Meta(max_length=32)] | None = None


class Report(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Of one input. `parts`: of the files that lay in it. `reason`: why it was refused (see `words.REASONS`).
    `output`: the name under which it was released; `preview`: of a drawing, the name of the page beside it that shows it. Times in
    seconds."""

    file: str
    kind_found: str | None
    kind_claimed: str | None
    action: Action
    reason: str | None = None
    removed: list[Removed] = []
    warnings: list[Warning_] = []
    sha256_before: str
    sha256_after: str | None = None
    size_before: int
    size_after: int | None = None
    output: str | None = None
    preview: str | None = None
    seconds: float
    parts: list[Report] = []

    @property
    def released(self) -> bool:
        return self.action != "refused"


class Tally:
    """Collects what was removed, alike things together, in the order of their first."""

    def __init__(self) -> None:
        self._found: dict[tuple[Object, str, str | None], int] = {}

    def add(self, object_: Object, name: str = "", count: int = 1, sha256: str | None = None) -> None:
        """`name` may come from the file: what cannot be shown is left out of it."""
        if count < 1:
            return
        shown = "".join(c for c in name if c.isprintable())[:120]
        key = (object_, shown, sha256)
        if key not in self._found and len(self._found) >= MOST_REMOVED - 40:
            key = (object_, "", None)
        self._found[key] = min(self._found.get(key, 0) + count, 1_000_000)

    @property
    def removed(self) -> list[Removed]:
        return [Removed(object_, name, count, digest) for (object_, name, digest), count in self._found.items()]

    def __contains__(self, object_: Object) -> bool:
        return any(found == object_ for found, _, _ in self._found)
