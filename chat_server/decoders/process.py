"""One decoder process, seen from the server: start it, hand it files, end it."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from chat_server.decoders.answer import Failed, Failure, Parse, Ready, parse_ready
from chat_server.decoders.limits import ANSWER_BYTES, REQUEST_BYTES, Limits

_IMPORT_ROOT: Final = str(Path(__file__).parents[2])
_START_SECONDS: Final = 20.0
_PARTING_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 2.0  # the process ends a slow child itself; this is for one that does not

# One arena: each reserves address space. Huge pages: a fresh child would else fault in its pictures by 4 KiB, which took
# a fifth of a photo's time.
_MALLOC: Final = {"MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

D = TypeVar("D", bound=msgspec.Struct)


class DecoderDied(Exception):
    """The process is gone, whether by itself or because it was no longer to be trusted."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class DecoderProcess:
    """Made by `start`. One file at a time."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, limits: Limits) -> None:
        self._process = process
        self._channel = channel
        self._limits = limits
        self.confined: list[str] = []
        """what the kernel agreed to: see `limits.confine`"""
        self._trusted = True

    @property
    def alive(self) -> bool:
        """Whether it can take a file; looks, because it may have died while it waited."""
        return self._trusted and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @classmethod
    async def start(cls, modules: Sequence[str], limits: Limits) -> DecoderProcess:
        """A process that has loaded the decoders `modules` (see `worker.Work`) and waits. Raises `DecoderDied`."""
        # SEQPACKET: one datagram is one answer, so there are no frames to parse from a process that is not trusted
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        spawning = asyncio.ensure_future(asyncio.to_thread(_spawn, theirs, modules, limits))
        try:
            decoder = cls(await asyncio.shield(spawning), ours, limits)
        except asyncio.CancelledError:
            # the thread starts it all the same
            await cls(await spawning, ours, limits)._reap()
            raise
        except OSError:
            ours.close()
            raise
        answer = await decoder._receive(_START_SECONDS, parse_ready)
        if not isinstance(answer, Ready):
            raise await decoder._end(f"did not start: {answer.why if isinstance(answer, Failed) else answer}")
        decoder.confined = answer.confined
        return decoder

    async def work(self, module: str, order: str, descriptors: Sequence[int], parse: Parse[D]) -> D | Failure:
        """Hand a file, and those for its renditions, to the decoder `module`; wait for the answer.

        Raises: `DecoderDied`; the process is then gone and cleaned up; ValueError where `order` is longer than a request.
        """
        request = f"{module}\0{order}".encode()
        if len(request) >= REQUEST_BYTES:
            raise ValueError("an order longer than a request")
        try:
            socket.send_fds(self._channel, [request], descriptors)
        except OSError as error:
            raise await self._end(f"did not take the file: {error}") from None
        return await self._receive(self._limits.wall_seconds + _GRACE_SECONDS, parse)

    async def close(self) -> None:
        """Let it go: it ends when the socket closes, or is ended."""
        self._trusted = False
        self._channel.close()
        try:
            await asyncio.to_thread(self._process.wait, _PARTING_SECONDS)
        except subprocess.TimeoutExpired:
            await self._reap()

    async def _receive(self, seconds: float, parse: Parse[D]) -> D | Failure:
        try:
            async with asyncio.timeout(seconds):
                datagram = await asyncio.get_running_loop().sock_recv(self._channel, ANSWER_BYTES)
        except TimeoutError:
            raise await self._end("took too long") from None
        except OSError as error:
            raise await self._end(str(error)) from None
        except BaseException:
            # cancelled in the middle: whatever it answers later would be taken for the answer to the next file
            await asyncio.shield(self._reap())
            raise
        if not datagram:
            raise await self._end("died")
        try:
            return parse(datagram)
        except msgspec.MsgspecError as error:
            raise await self._end(f"answered nonsense: {error}") from None

    async def _end(self, why: str) -> DecoderDied:
        return DecoderDied(f"{why} (status {await self._reap()})")

    async def _reap(self) -> int:
        self._trusted = False
        self._channel.close()
        # a process that is dying keeps its own status
        self._process.kill()
        return await asyncio.to_thread(self._process.wait)


def _spawn(theirs: socket.socket, modules: Sequence[str], limits: Limits) -> subprocess.Popen[bytes]:
    with theirs:
        return _popen(theirs.fileno(), modules, limits)


def _popen(descriptor: int, modules: Sequence[str], limits: Limits) -> subprocess.Popen[bytes]:
    arguments = [str(descriptor), json.dumps(asdict(limits)), *modules]
    return subprocess.Popen(
        # -P, -s: nothing is imported from the working directory or the user's own packages
        [sys.executable, "-P", "-s", "-m", "chat_server.decoders.worker", *arguments],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        # the libraries print what stands in the file: a way to forge lines of the server's log
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # none of the server's environment: it may hold secrets
        env={"PYTHONPATH": _IMPORT_ROOT, "LANG": "C.UTF-8"} | _MALLOC,
        # Ctrl-C on a terminal goes to the server, which finishes what it has taken
        start_new_session=True,
    )
