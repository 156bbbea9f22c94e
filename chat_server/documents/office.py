"""Office documents to PDF, and old ones to their successors, by LibreOffice where it is installed.

It is a large program that was not made for strangers' files, so it runs as `decoders.program` says, once for each file,
with a profile that is new each time. It answers 0 whether it made a file or not: what counts is whether a PDF came out.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Final

from chat_server.decoders.helper import Bounds, Helper
from chat_server.decoders.outcome import Busy, Refused
from chat_server.decoders.program import BUBBLEWRAP, LANDLOCK, TOO_LONG
from chat_server.domain.zones import PAGES

BOUNDS: Final = Bounds(memory_bytes=3 << 30, cpu_seconds=60, wall_seconds=90, output_bytes=256 << 20)

# No macros, no links to elsewhere, nothing remembered. The sandbox holds without these; they save time.
_PROFILE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"""

_SCRIPT: Final = """
mkdir -p "$WORK/profile/user" "$WORK/out"
cat > "$WORK/profile/user/registrymodifications.xcu" <<'END'
{profile}END
soffice "-env:UserInstallation=file://$WORK/profile" --headless --norestore --nologo --nodefault --nolockcheck \
 --convert-to '{filter}' --outdir "$WORK/out" "$SOURCE" >/dev/null 2>&1
exec cat "$WORK/out/document.{made}"
"""
_FILTER: Final = '{name}:{{"PageRange":{{"type":"string","value":"1-{pages}"}}}}'


class Office:
    """One file at a time; others wait."""

    def __init__(self, helper: Helper) -> None:
        self._helper = helper
        self._turn = asyncio.Lock()

    @property
    def means(self) -> str:
        """Which wall it runs behind: see `decoders.program`."""
        return self._helper.means

    @classmethod
    async def find(
        cls, scratch: Path, *, allowed: tuple[str, ...] = (BUBBLEWRAP, LANDLOCK), bounds: Bounds = BOUNDS
    ) -> Office | None:
        """LibreOffice behind the better of the two walls that this machine has; None without either of them."""
        if shutil.which("soffice") is None:
            return None
        helper = await Helper.find(scratch, bounds, allowed=allowed)
        return None if helper is None else cls(helper)

    async def to_pdf(self, source: Path, suffix: str, target: Path, *, pages: int = PAGES) -> None:
        """Write the first `pages` pages of `source` to `target`. `suffix` of its format: LibreOffice believes it.

        Raises: `Refused` ("broken": nothing came out), `Busy`, `NoSpace`; then `target` is not there.
        """
        filter_ = _FILTER.format(name=f"pdf:{_EXPORT[suffix]}_pdf_Export", pages=pages)
        await self._convert(source, suffix, target, filter_, "pdf", b"%PDF-")

    async def to_package(self, source: Path, suffix: str, target: Path) -> None:
        """Write `source`, of an old format, to `target` as the package that `SUCCESSORS` names for it. What is active in it is
        still in it afterwards. Raises as `to_pdf`."""
        made = SUCCESSORS[suffix]
        await self._convert(source, suffix, target, made, made, b"PK\3\4")

    async def _convert(self, source: Path, suffix: str, target: Path, filter_: str, made: str, magic: bytes) -> None:
        script = _SCRIPT.format(profile=_PROFILE, filter=filter_, made=made)
        try:
            async with self._turn:
                status = await self._helper.run(script, source, f"document{suffix}", target)
            with target.open("rb") as file:
                came = file.read(len(magic)) == magic
            if status == TOO_LONG:
                raise Busy("took too long")
            if not came:
                raise Refused("broken")
        except BaseException:
            _remove(target)
            raise


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


SUCCESSORS: Final = {
    ".doc": "docx", ".rtf": "docx", ".odt": "docx", ".xls": "xlsx", ".ods": "xlsx", ".ppt": "pptx", ".odp": "pptx",
}  # fmt: skip
"""Suffixes of old formats, and the package that LibreOffice writes of them."""
_EXPORT: Final = {
    ".docx": "writer", ".docm": "writer", ".doc": "writer", ".rtf": "writer", ".odt": "writer",
    ".xlsx": "calc", ".xlsm": "calc", ".xls": "calc", ".ods": "calc",
    ".pptx": "impress", ".pptm": "impress", ".ppt": "impress", ".odp": "impress",
}  # fmt: skip
