"""Office documents to PDF, by LibreOffice where it is installed.

It is a large program that was not made for strangers' files, so it runs as `decoders.program` says, once for each file,
with a profile that is new each time. It answers 0 whether it made a file or not: what counts is whether a PDF came out.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from chat_server.decoders.outcome import Busy, NoSpace, Refused
from chat_server.decoders.program import BUBBLEWRAP, LANDLOCK, TOO_LONG, Order
from chat_server.domain.zones import PAGES

_IMPORT_ROOT: Final = str(Path(__file__).parents[2])
_MEMORY_BYTES: Final = 3 << 30
_CPU_SECONDS: Final = 60
_WALL_SECONDS: Final = 90
_OUTPUT_BYTES: Final = 256 << 20
_PARTING_SECONDS: Final = 5.0

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
exec cat "$WORK/out/document.pdf"
"""
_FILTER: Final = '{name}:{{"PageRange":{{"type":"string","value":"1-{pages}"}}}}'

log = logging.getLogger(__name__)


class Office:
    """One file at a time; others wait."""

    def __init__(self, means: str, *, wall_seconds: int = _WALL_SECONDS) -> None:
        self.means = means
        self._wall_seconds = wall_seconds
        self._turn = asyncio.Lock()

    @classmethod
    async def find(cls, scratch: Path, *, allowed: tuple[str, ...] = (BUBBLEWRAP, LANDLOCK)) -> Office | None:
        """LibreOffice behind the better of the two walls that this machine has; None without either of them."""
        if shutil.which("soffice") is None:
            return None
        for means in allowed:
            if means == BUBBLEWRAP and shutil.which("bwrap") is None:
                continue
            office = cls(means)
            if await office._works(scratch):
                return office
        log.warning("office_not_confined", extra={"why": "neither bubblewrap nor Landlock with seccomp works here"})
        return None

    async def to_pdf(self, source: Path, suffix: str, target: Path, *, pages: int = PAGES) -> None:
        """Write the first `pages` pages of `source` to `target`. `suffix` of its format: LibreOffice believes it.

        Raises: `Refused` ("broken": nothing came out), `Busy`, `NoSpace`; then `target` is not there.
        """
        filter_ = _FILTER.format(name=f"pdf:{_EXPORT[suffix]}_pdf_Export", pages=pages)
        script = _SCRIPT.format(profile=_PROFILE, filter=filter_)
        try:
            async with self._turn:
                status = await self._run(script, source, f"document{suffix}", target)
            with target.open("rb") as file:
                made = file.read(5) == b"%PDF-"
            if status == TOO_LONG:
                raise Busy("took too long")
            if not made:
                raise Refused("broken")
        except BaseException:
            _remove(target)
            raise

    async def _works(self, scratch: Path) -> bool:
        """Whether the wall stands, and lets a program through."""
        with tempfile.TemporaryDirectory(dir=scratch, prefix="office-") as folder:
            source, target = Path(folder) / "source", Path(folder) / "target"
            source.write_bytes(b"through")
            await self._run('exec cat "$SOURCE"', source, "source", target)
            return target.read_bytes() == b"through"

    async def _run(self, script: str, source: Path, name: str, target: Path) -> int:
        folder = await asyncio.to_thread(tempfile.mkdtemp, dir=target.parent, prefix="office-")
        order = Order(
            means=self.means,
            script=script,
            source=str(source),
            name=name,
            folder=folder,
            memory_bytes=_MEMORY_BYTES,
            cpu_seconds=_CPU_SECONDS,
            wall_seconds=self._wall_seconds,
            output_bytes=_OUTPUT_BYTES,
        )
        try:
            output = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-s", "-m", "chat_server.decoders.program", json.dumps(asdict(order)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=output,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={"PYTHONPATH": _IMPORT_ROOT, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                    start_new_session=True,
                )  # fmt: skip
            finally:
                os.close(output)
            return await _ended(process, self._wall_seconds + _PARTING_SECONDS)
        except OSError as error:
            raise NoSpace from error
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _ended(process: asyncio.subprocess.Process, seconds: float) -> int:
    """Its status. Cancelled or late, it is ended, with all that it started."""
    assert process.stdin is not None
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    except TimeoutError:
        return TOO_LONG
    finally:
        # it ends its program when this closes
        process.stdin.close()
        if process.returncode is None:
            try:
                async with asyncio.timeout(_PARTING_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


_EXPORT: Final = {
    ".docx": "writer", ".docm": "writer", ".doc": "writer", ".rtf": "writer", ".odt": "writer",
    ".xlsx": "calc", ".xlsm": "calc", ".xls": "calc", ".ods": "calc",
    ".pptx": "impress", ".pptm": "impress", ".ppt": "impress", ".odp": "impress",
}  # fmt: skip
