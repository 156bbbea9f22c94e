"""Upload links with one delivery: of all who try to take it at the same moment exactly one has it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, Final

from bench import servers
from bench.plan import Plan
from bench.processes import BenchError
from bench.report import Figure, figure, spread

CLIENTS: Final = 64
ROUNDS: Final = 200
"""For each of the plan's rounds: a thousand by default."""
_WEEK_MS: Final = 7 * 24 * 3_600_000
_TUS: Final = "Tus-Resumable: 1.0.0\r\nUpload-Length: 1000\r\nUpload-Metadata: filename YS5qcGc=\r\n"
_GONE: Final = 7101


def run(plan: Plan) -> list[Figure]:
    """`upload_link.*`"""
    with servers.work_folder() as folder:
        data = servers.seeded(folder, "one_room", 2)
        token, room = (data / "clients.txt").read_text().splitlines()[0].split()
        with servers.renraku(data, core=None) as server:
            winners, times = asyncio.run(_race(server.port, token, room, ROUNDS * plan.rounds))
    wrong = sum(count != 1 for count in winners)
    how = (
        f"{CLIENTS} visits of one link with one delivery announce a file at the same moment, each on a connection of its own, over"
        f" HTTP, {len(winners)} links one after the other: rounds in which not exactly one was let in, or another was told anything"
        f" but that the link is good no more. All {CLIENTS} were answered within {spread(times, 0)} ms."
    )
    return [figure("upload_link.wrong_rounds", wrong, "rounds", how)]


class _Line:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> _Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, method: str, path: str, who: str, headers: str = "", body: Any = None) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        kind = "" if body is None else "Content-Type: application/json\r\n"
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {who}\r\n{headers}{kind}"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        length = next(
            (int(line.partition(":")[2]) for line in head.split("\r\n") if line.startswith("content-length:")), 0
        )
        answer = await self._reader.readexactly(length)
        return status, json.loads(answer) if answer else None

    async def must(self, method: str, path: str, who: str, body: Any = None) -> Any:
        status, answer = await self.ask(method, path, who, body=body)
        if status >= 300:
            raise BenchError(f"{method} {path} answered {status}: {answer}")
        return answer

    def close(self) -> None:
        self._writer.close()


async def _race(port: int, token: str, room: str, rounds: int) -> tuple[list[int], list[float]]:
    """Winners of each round, and milliseconds until all were answered."""
    staff, lines = await _Line.to(port), await asyncio.gather(*(_Line.to(port) for _ in range(CLIENTS)))
    winners, times = [], []
    for _ in range(rounds):
        link, visits = await _opened(staff, lines, f"Bearer {token}", room)
        begun = time.perf_counter()
        answers = await asyncio.gather(
            *(line.ask("POST", "/api/visit/files", visit, _TUS) for line, visit in zip(lines, visits, strict=True))
        )
        times.append((time.perf_counter() - begun) * 1000)
        good = sum(status == 201 for status, _ in answers)
        refused = sum(status != 201 and answer["error"]["code"] == _GONE for status, answer in answers)
        winners.append(good if good + refused == CLIENTS else -1)
        await staff.must("DELETE", f"/api/upload-links/{link}", f"Bearer {token}")
    for line in (staff, *lines):
        line.close()
    return winners, times


async def _opened(staff: _Line, lines: Sequence[_Line], who: str, room: str) -> tuple[str, list[str]]:
    """A new link, and a visit by it for each line."""
    wanted = {"recipient": "青葉 一郎", "purpose": "橋の写真", "ends": int(time.time() * 1000) + _WEEK_MS, "once": True}
    link = (await staff.must("POST", f"/api/rooms/{room}/upload-links", who, wanted))["id"]
    address = (await staff.must("POST", f"/api/upload-links/{link}/address", who))["token"]
    begun = await asyncio.gather(*(line.must("POST", "/api/link/visits", f"Link {address}", {}) for line in lines))
    return link, [f"Visit {one['visit']}" for one in begun]
