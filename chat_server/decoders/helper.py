"""A program of this machine over one file, seen from the server: behind which wall it runs, and what came of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chat_server.decoders.outcome import NoSpace
from chat_server.decoders.program import BUBBLEWRAP, LANDLOCK, TOO_LONG, Order

IMPORT_ROOT: Final = str(Path(__file__).parents[2])
_PARTING_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """See `program.Order`."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: int
    output_bytes: int


class Helper:
    """Runs scripts as `program` says, each by itself, by the same `means`."""

    def __init__(self, means: str, bounds: Bounds) -> None:
        self.means = means
        self.bounds = bounds

    @classmethod
    async def find(
        cls, scratch: Path, bounds: Bounds, *, allowed: tuple[str, ...] = (BUBBLEWRAP, LANDLOCK)
    ) -> Helper | None:
        """One behind the better of the two walls that this machine has; None without either of them."""
        for means in allowed:
            if means == BUBBLEWRAP and shutil.which("bwrap") is None:
                continue
            helper = cls(means, bounds)
            if await helper._works(scratch):
                return helper
        log.warning("helper_not_confined", extra={"why": "neither bubblewrap nor Landlock with seccomp works here"})
        return None

    async def run(self, script: str, source: Path, name: str, target: Path, *, readable: Sequence[Path] = ()) -> int:
        """What `script` prints about `source`, which it finds under `name`, goes into the new file `target`; `readable`: what
        it may read besides. Answers the program's status, `TOO_LONG` among them. Raises `NoSpace`."""
        folder = await asyncio.to_thread(tempfile.mkdtemp, dir=target.parent, prefix="helper-")
        order = Order(
            means=self.means,
            script=script,
            source=str(source),
            name=name,
            folder=folder,
            readable=tuple(str(path) for path in readable),
            **asdict(self.bounds),
        )
        try:
            output = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-s", "-m", "chat_server.decoders.program", json.dumps(asdict(order)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=output,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={"PYTHONPATH": IMPORT_ROOT, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                    start_new_session=True,
                )  # fmt: skip
            finally:
                os.close(output)
            return await _ended(process, self.bounds.wall_seconds + _PARTING_SECONDS)
        except OSError as error:
            raise NoSpace from error
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _works(self, scratch: Path) -> bool:
        """Whether the wall stands, and lets a program through."""
        with tempfile.TemporaryDirectory(dir=scratch, prefix="helper-") as folder:
            source, target = Path(folder) / "source", Path(folder) / "target"
            source.write_bytes(b"through")
            await self.run('exec cat "$SOURCE"', source, "source", target)
            return target.read_bytes() == b"through"


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
