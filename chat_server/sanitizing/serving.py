"""The engine as the server uses it: `ports.Sanitizer`. Its processes are started by the first file."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Literal, cast

import msgspec
from msgspec.structs import replace

from chat_server.decoders.helper import Helper
from chat_server.decoders.limits import confinable
from chat_server.decoders.outcome import NoSpace
from chat_server.decoders.process import DecoderDied
from chat_server.documents.office import Office
from chat_server.domain.errors import DECODER_BUSY, DISK_FULL, Problem
from chat_server.ports import Disarmed
from chat_server.sanitizing.cad import program as cad
from chat_server.sanitizing.engine import Engine
from chat_server.sanitizing.policy import Policy, Wish
from chat_server.sanitizing.report import Report

_RETRY_SECONDS: Final = 10
_PASSING: Final = frozenset(("busy",))
"""Reasons that say something of this moment, and nothing of the file."""


class ServerSanitizer:
    """Implements `ports.Sanitizer`. `close` it at the end."""

    def __init__(self, scratch: Path, workers: int = 2) -> None:
        self.possible = confinable()
        self._scratch = scratch
        self._workers = workers
        self._engine: Engine | None = None
        self._starting = asyncio.Lock()

    async def sanitize(
        self, source: Path, name: str, out: Path, formats: Mapping[str, str], unasked: Collection[str]
    ) -> Disarmed:
        """See `ports.Sanitizer`."""
        wishes = {kind: cast("Wish", wish) for kind, wish in formats.items()} | dict.fromkeys(unasked, _REFUSE)
        try:
            engine = await self._started()
            report = await engine.sanitize(source, name, out, Policy(formats=wishes))
        except NoSpace:
            raise Problem(DISK_FULL) from None
        except DecoderDied:
            raise Problem(DECODER_BUSY, retry_after=_RETRY_SECONDS) from None
        if report.reason in _PASSING:
            raise Problem(DECODER_BUSY, retry_after=_RETRY_SECONDS)
        output = None if report.output is None or not report.released else out / report.output
        told = msgspec.json.encode(_unasked_for(report, frozenset(unasked)))
        return Disarmed(told, output, report.output or "")

    async def close(self) -> None:
        """End the processes."""
        if self._engine is not None:
            await self._engine.close()

    async def _started(self) -> Engine:
        async with self._starting:
            if self._engine is None:
                office, helper = await Office.find(self._scratch), await Helper.find(self._scratch, cad.BOUNDS)
                engine = Engine(workers=self._workers, office=office, helper=helper)
                try:
                    await engine.start()
                except BaseException:
                    await engine.close()
                    raise
                self._engine = engine
            return self._engine


_REFUSE: Final[Literal["refuse"]] = "refuse"


def _unasked_for(report: Report, unasked: frozenset[str]) -> Report:
    """For the engine it was policy; to who sent it, another reason is of use."""
    parts = [_unasked_for(part, unasked) for part in report.parts]
    reason = report.reason
    if (reason == "by_policy" and report.kind_found in unasked) or (
        reason == "by_policy" and parts and all(part.reason == "not_asked_for" for part in parts)
    ):
        reason = "not_asked_for"
    return replace(report, parts=parts, reason=reason)
