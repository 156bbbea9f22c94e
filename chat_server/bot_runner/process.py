"""A bot's process, seen from the server: started when it is needed, ended when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import Final

import msgspec

from chat_server import bot_wire as wire
from chat_server.bot_api import SECONDS
from chat_server.bot_wire import Done, Task

START_SECONDS: Final = 20.0
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV")
"""of the environment; the rest may hold secrets"""


class BotFailed(Exception):
    """It gave no answer, or a wrong one. `ja`, `en` say what happened to those in the room; `kind`, for the log, says nothing of
    what was written there: raised, slow, ended."""

    def __init__(self, kind: str, ja: str, en: str, why: str = "") -> None:
        """`why`: its own words, where it had any."""
        super().__init__(kind)
        self.kind = kind
        self.ja = ja
        self.en = en
        self.why = why or en


class BotProcess:
    """One task at a time."""

    def __init__(self, module: str, folder: str = "") -> None:
        """`folder`: where bots are besides Renraku's own."""
        self._module = module
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, task: Task, seconds: float | None = None) -> Done:
        """Raises `BotFailed`; the process is then gone, and the next task gets a new one."""
        if self._process is not None and self._process.returncode is not None:
            await self.close()  # it ended while it had nothing to do: no fault of this task
        if self._process is None:
            await self._start()
        done = await self._exchange(wire.framed(wire.pack(task)), SECONDS if seconds is None else seconds)
        if done.failure is not None:
            ja, en = f"エラーが起きました（{done.failure}）", f"it raised an error ({done.failure})"
            raise BotFailed("raised", ja, en, done.failure)
        return done

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat_server.bot_runner.child", self._module, self._folder,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            limit=wire.FRAME_BYTES, start_new_session=True,
        )  # fmt: skip
        await self._exchange(b"", START_SECONDS)

    async def _exchange(self, data: bytes, seconds: float) -> Done:
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(data)
        except TimeoutError:
            failed = BotFailed(
                "slow", f"{seconds:g}秒以内に終わりませんでした", f"it was not done within {seconds:g} s"
            )
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError, ValueError) as error:
            failed = BotFailed("ended", "途中で止まりました", f"its process ended ({type(error).__name__})")
        except BaseException:
            await self.close()
            raise
        await self.close()
        raise failed

    async def _answer(self, data: bytes) -> Done:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        if data:
            process.stdin.write(data)
            await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(wire.LENGTH), "big")
        if length > wire.FRAME_BYTES:
            raise ValueError("too long an answer")
        return wire.done_of(await process.stdout.readexactly(length))
