"""The way of a file: found out, converted where it is old, rebuilt, looked at, released; or refused with a reason.

The engine holds paths and hands out descriptors. Whatever parses a stranger's bytes is a confined child that is gone afterwards; what the
children say is checked against a shape. Everything that goes wrong is a refusal, because only `_released` releases, and it is reached
by a result alone whose check found nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec.structs import replace

from chat_server.decoders.answer import parser
from chat_server.decoders.files import TaskFiles
from chat_server.decoders.helper import Helper
from chat_server.decoders.limits import Limits
from chat_server.decoders.outcome import Busy, Crashed, Refused
from chat_server.decoders.pool import Pool
from chat_server.decoders.task import Decoder
from chat_server.documents.office import SUCCESSORS, Office
from chat_server.sanitizing import kinds, names
from chat_server.sanitizing.antivirus import Antivirus, NotScanned
from chat_server.sanitizing.cad import program as cad
from chat_server.sanitizing.order import FILES, Member, Order, Task
from chat_server.sanitizing.packing import pack
from chat_server.sanitizing.policy import Policy
from chat_server.sanitizing.report import Action, Rebuilt, Removed, Report, Warning_
from chat_server.sanitizing.svg import program as svg
from chat_server.sanitizing.words import REASONS

MODULE: Final = "chat_server.sanitizing.sandbox"
LIMITS: Final = Limits(cpu_seconds=90, wall_seconds=120, output_bytes=1 << 30, descriptors=24)
_DEPTH: Final = 3
"""Archives within archives."""
_ALL_FILES: Final = 3000
_ALL_SECONDS: Final = 900.0
_SECONDS: Final = 20
"""Of processor time for any file, and as many more for each `_PER_BYTES` of it: a small file that takes long is a bomb."""
_PER_BYTES: Final = 1 << 19
_NEEDED: Final = frozenset(("landlock", "seccomp"))
_IN_ARCHIVE: Final = frozenset(
    ("executable", "virus", "too_many", "takes_too_long", "too_large", "too_deep", "declares", "unsafe_path")
)
"""What one file may not do without costing the archive: those are no accidents."""
_MAY_STAY_UNKNOWN: Final = frozenset(
    ("not_taken_apart", "no_helper", "no_output", "protected", "external", "too_old", "broken", "check_failed")
)
"""What a file may be that is handed over as it came: a second person is told that nobody has seen what is in it."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class _Done(msgspec.Struct, tag="done", forbid_unknown_fields=True, frozen=True):
    kind: Annotated[str, msgspec.Meta(max_length=16)] | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a child left: the file, and what it said of it."""

    kind: str | None
    path: Path
    said: bytes


_SAID_BYTES: Final = 1 << 20


def _finish(done: _Done, files: TaskFiles, most_bytes: int) -> Made:
    made, told = files.paths
    with told.open("rb") as file:
        return Made(done.kind, made, file.read(_SAID_BYTES))


_OURS: Final = frozenset(("needs_approval", "not_approved", "lapsed"))
"""Reasons that no child may give: it would be asking for its own approval."""
_WORK: Final = Decoder(MODULE, ("made", "said"), parser(_Done, REASONS.keys() - _OURS), _finish)


@dataclass(slots=True)
class _Result:
    """Of one file: where it lies (None: refused), and what is told of it."""

    path: Path | None
    kind: str
    found: str
    """What it was, behind its password"""
    removed: list[Removed] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)
    parts: list[Report] = field(default_factory=list)
    flattened: bool = False
    preview: Path | None = None
    """A page that shows it"""
    reason: str | None = None
    """Why there is no `path`"""


class _Budget:
    """What one file may cost with all that lies in it: archives within archives multiply."""

    def __init__(self) -> None:
        self._files = _ALL_FILES
        self._end = time.monotonic() + _ALL_SECONDS

    def spend(self) -> None:
        """One more file. Raises `Refused`."""
        self._files -= 1
        if self._files < 0:
            raise Refused("too_many")
        if time.monotonic() > self._end:
            raise Refused("takes_too_long")


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How a file, and what lies in it, is to be treated; `depth`: in how many archives it lies. `examining`:
    it is taken apart only to tell what is in it."""

    policy: Policy
    password: str
    budget: _Budget
    depth: int = 0
    examining: bool = False


class Engine:
    """`start` it before the first file, `close` it after the last. Several files at once are fine."""

    def __init__(
        self,
        *,
        workers: int = 2,
        office: Office | None = None,
        helper: Helper | None = None,
        antivirus: Antivirus | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        """`office`: converts old formats; `helper`: reads drawings (see `cad`) and SVG. Without them those are refused.
        `antivirus`: asked first."""
        self._pool = Pool("sanitizing", [MODULE], workers, limits=limits, waiting=256, patience=600.0)
        self._office = office
        self._helper = helper
        self._antivirus = antivirus

    @property
    def pids(self) -> list[int]:
        """Process ids of the warm workers."""
        return self._pool.pids

    async def start(self) -> None:
        """Raises `decoders.process.DecoderDied`."""
        await self._pool.start()

    async def close(self) -> None:
        """End the processes."""
        await self._pool.close()

    async def sanitize(self, source: Path, name: str, out: Path, policy: Policy, password: str = "") -> Report:
        """Write what may be released of `source`, which came under `name`, into the folder `out`; answers what was done.

        Raises: OSError where `source` cannot be read; `NoSpace`. Every other fault is a refusal.
        """
        with tempfile.TemporaryDirectory(dir=out, prefix=".sanitizing-") as scratch:
            return await self._report(source, name, out, Path(scratch), _Wishes(policy, password, _Budget()))

    async def _report(self, source: Path, name: str, out: Path, scratch: Path, wishes: _Wishes) -> Report:
        began = time.monotonic()
        size, before = await asyncio.to_thread(_digest, source)
        report = Report(
            file=names.file_name(name), kind_found=None, kind_claimed=kinds.claimed(name), action="refused",
            sha256_before=before, size_before=size, seconds=0,
        )  # fmt: skip
        result: _Result | None = None
        scanned: list[Warning_] = []
        try:
            if not set(self._pool.confined) >= _NEEDED:
                raise Refused("not_confined")
            wishes.budget.spend()
            scanned = await self._scanned(source, wishes.policy)
            found = await self._run(source, scratch, Task("find", Order(""), report.file))
            report = replace(report, kind_found=found.kind)
            result = await self._file(source, found.kind, scratch, wishes)
        except Refused as refused:
            report = replace(report, reason=refused.reason)
        except Crashed as crashed:
            report = replace(report, reason="takes_too_long" if crashed.signal == signal.SIGXCPU else "crashed")
        except Busy:
            report = replace(report, reason="busy")
        if result is not None:
            report = replace(
                report, kind_found=result.found, removed=result.removed, warnings=[*scanned, *result.warnings],
                parts=result.parts,
            )  # fmt: skip
            if result.path is None:
                why = result.reason or next((part.reason for part in result.parts if part.reason), "empty")
                report = replace(report, reason=why)
            else:
                report = await asyncio.to_thread(_released, report, result, out)
        return replace(report, seconds=round(time.monotonic() - began, 3))

    async def _scanned(self, source: Path, policy: Policy) -> list[Warning_]:
        """What is to be said of the second opinion. Raises `Refused`."""
        if self._antivirus is None:
            if policy.antivirus == "required":
                raise Refused("not_scanned")
            return []
        try:
            found = await self._antivirus.look(source)
        except NotScanned as error:
            log.warning("not_scanned", extra={"why": str(error)[:200]})
            if policy.antivirus == "required":
                raise Refused("not_scanned") from None
            return ["not_scanned"]
        if found is not None:
            log.warning("virus_found", extra={"virus": found})
            raise Refused("virus")
        return []

    async def _file(self, source: Path, kind: str | None, scratch: Path, wishes: _Wishes) -> _Result:
        """Raises `Refused`, `Crashed`, `Busy`, `NoSpace`."""
        password = wishes.password
        if kind == "executable":
            raise Refused(kind)
        if kind == "encrypted":
            source = (await self._run(source, scratch, Task("unlock", Order(kind, password=password)))).path
            kind, password = (await self._run(source, scratch, Task("find", Order("")))).kind, ""
        if kind is None or kind not in kinds.SUFFIXES:
            raise Refused("unknown")
        wish = wishes.policy.action(kind)
        if wish == "refuse":
            raise Refused("not_taken_apart" if kind in kinds.CLOSED else "by_policy")
        if wish == "approve" and not wishes.examining:
            return await self._examined(source, kind, scratch, wishes)
        if kind in kinds.HOLDERS:
            return await self._archive(source, kind, scratch, wishes)
        if kind in kinds.DRAWINGS:
            return await self._drawing(source, kind, scratch)
        if kind in kinds.PAINTED:
            return await self._painting(source, kind, scratch)
        found = kind
        flatten = wish == "flatten" and kind in kinds.FLATTENED and not wishes.examining
        warnings: list[Warning_] = []
        suffix = kinds.SUFFIXES[kind]
        if flatten:
            warnings.append("pages_are_pictures")
        if flatten and kind != "pdf":
            source, kind = await self._converted(source, suffix, scratch, "pdf"), "pdf"
        elif suffix in SUCCESSORS:
            source, kind = await self._converted(source, suffix, scratch, SUCCESSORS[suffix]), SUCCESSORS[suffix]
            warnings.append("converted_from_old")
        if kind not in kinds.REBUILT:
            raise Refused("not_taken_apart")
        rebuilt, made = await self._rebuilt(source, Order(kind, flatten, password), scratch)
        return _Result(made, rebuilt.kind, found, rebuilt.removed, [*warnings, *rebuilt.warnings], flattened=flatten)

    async def _examined(self, source: Path, kind: str, scratch: Path, wishes: _Wishes) -> _Result:
        """What a second person is to know who decides whether it is handed over as it came; nothing of it is released here."""
        if wishes.depth:
            raise Refused("needs_approval")
        try:
            result = await self._file(source, kind, scratch, dataclasses.replace(wishes, examining=True))
        except Refused as refused:
            if kind in kinds.HOLDERS or refused.reason not in _MAY_STAY_UNKNOWN:
                raise
            result = _Result(None, kind, kind, warnings=["not_examined"])
        refusals = [reason for part in result.parts for reason in _reasons(part)]
        result.path, result.preview = None, None
        result.reason = next((reason for reason in refusals if reason not in _MAY_STAY_UNKNOWN), "needs_approval")
        if refusals and result.reason == "needs_approval":
            result.warnings = ["not_examined"]
        return result

    async def _rebuilt(self, source: Path, order: Order, scratch: Path) -> tuple[Rebuilt, Path]:
        """Written anew, and looked at."""
        made = await self._run(source, scratch, Task("rebuild", order))
        rebuilt = _said(made, Rebuilt)
        if rebuilt.kind not in kinds.outcomes(order.kind):
            raise Busy("the rebuilder answered for another kind")
        await self._look(made.path, rebuilt.kind, scratch)
        return rebuilt, made.path

    async def _converted(self, source: Path, suffix: str, scratch: Path, into: str) -> Path:
        if self._office is None:
            raise Refused("no_helper")
        target = Path(tempfile.mkdtemp(dir=scratch)) / "converted"
        try:
            if into == "pdf":
                await self._office.to_pdf(source, suffix, target, pages=kinds.PAGES)
            else:
                await self._office.to_package(source, suffix, target)
        except Refused:
            raise Refused("no_output") from None
        except Busy:
            raise Refused("takes_too_long") from None
        return target

    async def _archive(self, source: Path, kind: str, scratch: Path, wishes: _Wishes) -> _Result:
        """Every file of it by itself; what is refused is left out and told."""
        if wishes.depth >= _DEPTH:
            raise Refused("too_deep")
        made = await self._run(source, scratch, Task("rebuild", Order(kind, password=wishes.password)))
        members = _said(made, list[Member])
        if len(members) > FILES or sum(member.size for member in members) != made.path.stat().st_size:
            raise Busy("the unpacker's sizes do not fit what it wrote")
        clean, inner = Path(tempfile.mkdtemp(dir=scratch)), dataclasses.replace(wishes, depth=wishes.depth + 1)
        result = _Result(None, "zip", kind)
        packed: list[tuple[str, Path]] = []
        begin = 0
        for number, member in enumerate(members):
            folder = clean / str(number)
            folder.mkdir()
            part, out = folder / "part", folder / "out"
            out.mkdir()
            await asyncio.to_thread(_cut, made.path, begin, member.size, part)
            begin += member.size
            report = await self._report(part, member.path, out, folder, inner)
            part.unlink()
            report = replace(report, file=member.path)
            result.parts.append(report)
            if report.reason in _IN_ARCHIVE:
                raise Refused(report.reason)
            if report.output is not None:
                above = member.path.rpartition("/")[0]
                for name in filter(None, (report.output, report.preview)):
                    packed.append((f"{above}/{name}" if above else name, out / name))
        if not packed:
            return result
        left_out = sum(not part.released for part in result.parts)
        if left_out:
            result.warnings.append("parts_left_out")
            result.removed.append(Removed("file", count=left_out))
        result.path = clean / "packed"
        await asyncio.to_thread(pack, _unlike(packed), result.path)
        await self._look(result.path, "zip", scratch)
        return result

    async def _drawing(self, source: Path, kind: str, scratch: Path) -> _Result:
        if self._helper is None:
            raise Refused("not_confined")
        rebuilt, made = await cad.redrawn(self._helper, source, kind, scratch)
        await self._look(made, "dxf", scratch)
        result = _Result(made, "dxf", kind, rebuilt.removed, rebuilt.warnings)
        try:
            result.preview = await self._preview(self._helper, made, scratch)
        except (Refused, Crashed, Busy) as error:
            # the drawing itself was found to be clean, and is not worth less without
            log.warning("no_preview", extra={"why": str(error)[:200]})
            result.warnings = [*result.warnings, "no_preview"]
        return result

    async def _preview(self, helper: Helper, drawing: Path, scratch: Path) -> Path:
        """A page that shows it; its maker read the drawing, so it is as little believed as any PDF that comes."""
        page = await cad.previewed(helper, drawing, scratch)
        _, made = await self._rebuilt(page, Order("pdf"), scratch)
        return made

    async def _painting(self, source: Path, kind: str, scratch: Path) -> _Result:
        if self._helper is None:
            raise Refused("not_confined")
        painted, picture = await svg.painted(self._helper, source, scratch)
        rebuilt, made = await self._rebuilt(picture, Order(painted.kind), scratch)
        return _Result(made, rebuilt.kind, kind, painted.removed, [*painted.warnings, *rebuilt.warnings])

    async def _look(self, made: Path, kind: str, scratch: Path) -> None:
        """The second look: see `check`."""
        found = _said(await self._run(made, scratch, Task("check", Order(kind))), list[str])
        if found:
            log.error("sanitizing_check_failed", extra={"kind": kind, "found": found[:10]})
            raise Refused("check_failed")

    async def _run(self, source: Path, scratch: Path, task: Task) -> Made:
        folder = Path(tempfile.mkdtemp(dir=scratch))
        size = (await asyncio.to_thread(source.stat)).st_size
        task = replace(task, seconds=min(LIMITS.cpu_seconds, _SECONDS + size // _PER_BYTES))
        return await self._pool.run(_WORK, source, folder, msgspec.json.encode(task).decode())


def _said(made: Made, shape: type[T]) -> T:
    """What a child says of its work. Raises `Busy`: a child that answers nonsense is not believed in anything."""
    try:
        return msgspec.json.decode(made.said, type=shape)
    except msgspec.MsgspecError as error:
        raise Busy(f"a report in no known shape: {error}") from None


def _reasons(report: Report) -> Iterator[str]:
    """Why it was refused, and what lies in it."""
    if report.reason is not None:
        yield report.reason
    for part in report.parts:
        yield from _reasons(part)


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _cut(source: Path, begin: int, size: int, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        read.seek(begin)
        while size > 0 and (piece := read.read(min(size, 1 << 20))):
            written.write(piece)
            size -= len(piece)


def _unlike(files: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """With numbers where two have one name, as 図面.jww and 図面.dxf have after conversion."""
    taken: set[str] = set()
    found = []
    for name, path in files:
        found.append((names.free(name, taken), path))
    return found


def _released(report: Report, result: _Result, out: Path) -> Report:
    """Into `out`, under a name that is still free there, whole or not at all."""
    assert result.path is not None
    taken = {each.name.casefold() for each in out.iterdir()}
    target = out / names.free(names.with_suffix(report.file, kinds.SUFFIXES[result.kind]), taken)
    if result.preview is not None:
        page = out / names.free(names.with_suffix(target.name, kinds.SUFFIXES["pdf"]), taken)
        result.preview.rename(page)
        page.chmod(0o644)
        report = replace(report, preview=page.name)
    result.path.rename(target)
    target.chmod(0o644)
    size, after = _digest(target)
    action: Action = "flattened" if result.flattened else "rebuilt" if result.kind == report.kind_found else "converted"
    return replace(report, action=action, sha256_after=after, size_after=size, output=target.name)
