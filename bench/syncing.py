"""A usual morning's sync: what a phone asks for that held everything its owner had read, of the demonstration's 田中 美咲."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from typing import Any, Final

from bench import servers
from bench.plan import Plan
from bench.processes import LOAD_CORE, BenchError, on_core
from bench.report import Figure, figure
from bench.settings import settings
from chat_server.demo import load, script

ASKED: Final = 200
LOGIN: Final = "tanaka"
_OWN_EVENTS: Final = 6
"""Own events that a night brings."""


def run(plan: Plan) -> list[Figure]:
    """`sync.*`"""
    with servers.work_folder() as folder:
        data = folder / "demo"
        load.ensure(settings(data), lambda _: None)
        with servers.renraku(data) as server:
            phone = _Phone(server.port)
            held = phone.held()
            with on_core(LOAD_CORE):
                times, size = phone.ask(held)
            _, low = phone.ask({**held, "low": True}, 1)
    times.sort()
    middle, late = statistics.median(times), times[int(len(times) * 0.95)]
    how = (
        f"POST /api/sync of the demonstration's {LOGIN} after a night, over HTTP on one connection, {ASKED} times: median"
        f" {middle:.1f} ms, 95th percentile {late:.1f} ms."
    )
    sizes = f"The same answer, MessagePack and gzip, as it goes over the line; {low} bytes with `low`."
    return [figure("sync.ms", middle, "ms", how), figure("sync.bytes", size, "bytes", sizes)]


class _Phone:
    """Somebody's phone, by HTTP alone."""

    def __init__(self, port: int) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Content-Type": "application/json"}
        cast = script.cast()
        begun = {"organization": cast.organization[0].code, "login": LOGIN, "device_name": "bench"}
        flow = self._json("POST", "/api/sign-in", begun)["flow"]
        session = self._json("POST", "/api/sign-in/password", {"flow": flow, "password": cast.password})["session"]
        self._headers["Authorization"] = f"Bearer {session['access_token']}"

    def held(self) -> dict[str, Any]:
        """Everything that was read, and nothing after it."""
        rooms = self._json("GET", "/api/rooms")
        head = self._json("POST", "/api/sync", {})["me"]["head"]
        return {"epoch": None, "me": head - _OWN_EVENTS, "rooms": {room["id"]: room["read"] for room in rooms}}

    def ask(self, held: dict[str, Any], times: int = ASKED) -> tuple[list[float], int]:
        """Milliseconds of each answer but the first ones, and its size."""
        body, took, size = json.dumps(held).encode(), [], 0
        for _ in range(times):
            begun = time.perf_counter()
            self._line.request("POST", "/api/sync", body, self._headers | {"Accept-Encoding": "gzip"})
            answer = self._line.getresponse()
            size = len(answer.read())
            took.append((time.perf_counter() - begun) * 1000)
            if answer.status != 200:
                raise BenchError(f"POST /api/sync answered {answer.status}")
        return took[10:] or took, size

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        self._line.request(
            method, path, None if body is None else json.dumps(body), self._headers | {"Accept": "application/json"}
        )
        answer = self._line.getresponse()
        found = answer.read()
        if answer.status != 200:
            raise BenchError(f"{path} answered {answer.status}: {found[:200]!r}")
        return json.loads(found)
