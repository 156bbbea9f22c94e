"""Bots: how soon one answers, and what those who write feel of two that misbehave."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any, Final

import httpx2

from bench import generator, servers
from bench.plan import Plan
from bench.report import Figure, figure, spread
from tests.support.peer import Peer, text

ASKED: Final = 30
PAUSE: Final = 0.6
"""Seconds between two questions: the server is at rest again."""
SENDERS: Final = 50
RATE: Final = 4
"""Messages a second into each of their rooms."""

_HANGS: Final = """
from chat_server.bot_api import Bot

class Hangs(Bot):
    title, reading, everywhere = "止まるボット", "とまるぼっと", "private"

    def on_message(self, room, message):
        while True:
            pass
"""
_FLOODS: Final = """
import datetime
from chat_server.bot_api import Bot

class Floods(Bot):
    title, reading, everywhere = "あふれるボット", "あふれるぼっと", "private"

    def on_message(self, room, message):
        for n in range(10):
            room.say("あふれる")
            room.remind(room.now, "また")

    def on_timer(self, room, note):
        for n in range(10):
            room.say("あふれる")
        room.remind(room.now, "また")
"""


def run(plan: Plan) -> list[Figure]:
    """`bots.*`"""
    with servers.work_folder() as folder:
        return [asyncio.run(_latency(folder)), _flooded(folder, plan)]


async def _latency(folder: Path) -> Figure:
    data = servers.seeded(folder, "one_room", 2)
    token, room = (data / "clients.txt").read_text().splitlines()[0].split()
    with servers.renraku(data, core=None) as server:
        await _invite(server.port, token, room)
        peer = await Peer.live(server.port, token)
        times = [await _answered(peer, room, number) for number in range(ASKED)]
        await peer.close()
    how = (
        f"From the ack of a question to the bot's answer on the asker's own socket, {ASKED} times, one at a time, the bot in its"
        f" process and everything that it did committed: {spread(times, 1)} ms; the figure is the median."
    )
    return figure("bots.latency_ms", statistics.median(times), "ms", how)


async def _invite(port: int, token: str, room: str) -> None:
    """The reminders, as soon as they have an account."""
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as http:
        while True:
            found = (await http.get("/api/people", params={"q": "リマインダー"})).json()["items"]
            if found:
                break
            await asyncio.sleep(0.1)
        answer = await http.post(f"/api/rooms/{room}/members", json={"users": [found[0]["id"]]})
        answer.raise_for_status()


async def _answered(peer: Peer, room: str, number: int) -> float:
    def answer(wire: dict[str, Any]) -> bool:
        return wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot"

    await asyncio.sleep(PAUSE)
    await peer.ask("send", room=room, client_msg_id=f"asked-{number:06d}", blocks=text("リマインド 一覧"))
    begun = time.perf_counter()
    await peer.until(answer)
    return (time.perf_counter() - begun) * 1000


def _flooded(folder: Path, plan: Plan) -> Figure:
    plugins = folder / "plugins"
    for name, source in (("hangs", _HANGS), ("floods", _FLOODS)):
        (plugins / name).mkdir(parents=True)
        (plugins / name / "__init__.py").touch()
        (plugins / name / "bot.py").write_text(source, encoding="utf-8")
    data = servers.seeded(folder, "senders", SENDERS)
    calm, flooded = [], []
    for number in range(plan.rounds):
        calm.append(_p99(servers.copied(data, f"calm{number}"), plan))
        flooded.append(_p99(servers.copied(data, f"flooded{number}"), plan, "--bots", str(plugins)))
    ratio = statistics.median(bad / good for bad, good in zip(flooded, calm, strict=True))
    how = (
        f"{SENDERS * RATE} messages a second into {SENDERS} rooms; 99th percentile from send to the sender's own screen, right"
        f" behind the ack: {spread(flooded, 1)} ms with a bot in every room that never comes back and another that says ten things"
        f" about each and calls itself again, {spread(calm, 1)} ms without; {plan.rounds} alternating rounds."
    )
    return figure("bots.flood_ack_ratio", ratio, "×", how)


def _p99(data: Path, plan: Plan, *options: str) -> float:
    # Not `generator.run`, which waits for a server at rest: that is what these bots never let it come to.
    with (
        servers.renraku(data, *options) as server,
        generator.Running(server, data / "clients.txt", "--rate", RATE, "--warm", 2) as load,
    ):
        time.sleep(2 + plan.seconds * 5)
    return float(load.result["p99_ms"])
