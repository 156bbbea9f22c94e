"""The relay as a process of its own: carries, reads nothing, loses nothing, and speaks to nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import resource
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from chat_server.domain.ids import new_id
from mobile_api.providers.port import PLATFORMS, Answer, Outcome, Parcel, Platform, Provider
from mobile_api.relay import client, keys, serving, wire
from mobile_api.watching import watch
from tests.support.cutting_proxy import CuttingProxy
from tests.support.patience import DEADLINE
from tests.support.push.connect_proxy import connect_proxy
from tests.support.push.relay import RelayProcess, closed_side, relay_here, relay_process
from tests.support.push.script import CUT, Behaviour
from tests.support.push.town import Town, town


@contextlib.asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[tuple[Town, RelayProcess, CuttingProxy, dict[Platform, Provider]]]:
    async with (
        town(folder) as found,
        relay_process(folder / "r", found) as relay,
        CuttingProxy("127.0.0.1", relay.port) as line,
        closed_side(found, relay.closed, line.port) as providers,
    ):
        yield found, relay, line, providers


async def again(provider: Provider, sent: Parcel, until: Outcome) -> Answer:
    """As the engine does it: the same parcel, until the answer is final."""
    async with asyncio.timeout(DEADLINE):
        while True:
            answer = await provider.send(sent)
            if answer.outcome is until:
                return answer
            assert answer.outcome in (Outcome.LATER, Outcome.UNKNOWN), answer
            await asyncio.sleep(0.05)


async def until(fits: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not fits():  # noqa: ASYNC110 - figures tell nobody
            await asyncio.sleep(0.02)


async def test_all_four_are_rung_through_it(tmp_path: Path) -> None:
    async with standing(tmp_path) as (found, relay, _, providers):
        for platform in PLATFORMS:
            sent = found.parcel(platform)
            answer = await providers[platform].send(sent)
            (taken,) = found.book(platform).got
            assert (answer.outcome, answer.receipt) == (Outcome.ACCEPTED, taken.receipt)
        assert found.book("web_push").got[0].payload == {"for": 1}
        assert found.book("web_push").got[0].headers["authorization"].startswith("vapid t=")
        assert "relay.line_up" in relay.log


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (Behaviour(status=410, reason="Unregistered", timestamp=1_790_000_000_123), Outcome.INVALID),
        (Behaviour(status=429, reason="TooManyRequests", headers={"retry-after": "7"}), Outcome.LATER),
        (Behaviour(status=400, reason="BadCollapseId"), Outcome.REFUSED),
        (CUT, Outcome.UNKNOWN),
    ],
)
async def test_what_a_provider_says_is_handed_on_and_the_same_parcel_may_be_tried_again(
    tmp_path: Path, behaviour: Behaviour, outcome: Outcome
) -> None:
    async with standing(tmp_path) as (found, _, _, providers):
        found.script("apns").once.append(behaviour)
        sent = found.parcel("apns")
        answer = await providers["apns"].send(sent)
        assert (answer.outcome, answer.gone_at) == (outcome, behaviour.timestamp)
        assert answer.retry_after == (7 if behaviour.headers else None)
        second = await providers["apns"].send(sent)
        if outcome in (Outcome.LATER, Outcome.UNKNOWN):
            assert second.outcome is Outcome.ACCEPTED
        else:
            assert second == answer, "what is final is not asked twice"
            assert found.book("apns").requests == 1


async def test_a_parcel_that_is_handed_twice_rings_once(tmp_path: Path) -> None:
    async with standing(tmp_path) as (found, _, _, providers):
        sent = found.parcel("apns")
        first = await providers["apns"].send(sent)
        assert await providers["apns"].send(sent) == first
        assert len(found.book("apns").got) == 1


async def test_an_answer_that_was_lost_with_the_line_is_kept(tmp_path: Path) -> None:
    """The provider took it, and the line ended before the answer: it is fetched later, and nobody rings twice."""
    async with standing(tmp_path) as (found, _, line, providers):
        assert (await providers["fcm"].send(found.parcel("fcm", 2))).outcome is Outcome.ACCEPTED
        sent = found.parcel("apns")
        line.cut_after(down=0)
        assert (await providers["apns"].send(sent)).outcome is Outcome.UNKNOWN
        async with asyncio.timeout(DEADLINE):
            await line.was_cut()
            await found.book("apns").saw(1)
        assert (await again(providers["apns"], sent, Outcome.ACCEPTED)).receipt == found.book("apns").got[0].receipt
        assert len(found.book("apns").got) == 1


async def test_while_the_line_is_down_the_relay_goes_on_and_the_closed_side_waits(tmp_path: Path) -> None:
    async with standing(tmp_path) as (found, relay, line, providers):
        gate = found.parcel("apns", 1)
        assert (await providers["apns"].send(gate)).outcome is Outcome.ACCEPTED
        # Taken by the relay; then the line is gone.
        sent = found.parcel("apns", 2)
        line.cut_after(down=0)
        assert (await providers["apns"].send(sent)).outcome is Outcome.UNKNOWN
        await line.refuse()
        line.drop()
        during = found.parcel("apns", 4)
        assert (await providers["apns"].send(during)).outcome is Outcome.LATER, "nothing is lost, nothing is sent"
        await line.accept()
        assert (await again(providers["apns"], during, Outcome.ACCEPTED)).outcome is Outcome.ACCEPTED
        assert (await again(providers["apns"], sent, Outcome.ACCEPTED)).outcome is Outcome.ACCEPTED
        assert [taken.token for taken in found.book("apns").got].count(found.name(2)) == 1
        assert relay.process.returncode is None


async def test_what_the_relay_had_goes_out_while_nobody_is_there(tmp_path: Path) -> None:
    """Put off by the provider with the line down: the relay itself tries again."""
    async with standing(tmp_path) as (found, relay, line, providers):
        await _send_and_vanish(found, relay, line, providers, Behaviour(status=503))
        async with asyncio.timeout(DEADLINE):
            await found.book("apns").saw(2)
        assert [taken.token for taken in found.book("apns").got] == [found.name(1)]


async def test_what_the_relay_had_does_not_ring_after_what_came_later(tmp_path: Path) -> None:
    """The closed side replaced it while the line was down; the relay was about to try it again."""
    async with standing(tmp_path) as (found, relay, line, providers):
        sent = await _send_and_vanish(found, relay, line, providers, Behaviour(status=503))
        await line.accept()
        newer = dataclasses.replace(sent, id=new_id(2**47), badge=9)
        await again(providers["apns"], newer, Outcome.ACCEPTED)
        answer = await providers["apns"].send(sent)
        assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "a newer one took its place")
        assert [taken.payload["aps"]["badge"] for taken in found.book("apns").got] == [9]


class Stumbling:
    """A provider's client with a fault, for every parcel but the second."""

    platform: Platform = "apns"

    def __init__(self) -> None:
        self.asked = 0

    async def send(self, parcel: Parcel) -> Answer:
        self.asked += 1
        if self.asked == 2:
            return Answer(Outcome.ACCEPTED, "200")
        raise ZeroDivisionError(f"with {parcel.token}")

    async def close(self) -> None:
        pass


async def test_a_parcel_that_a_provider_stumbles_over_does_not_end_the_relay(tmp_path: Path) -> None:
    async with (
        town(tmp_path) as found,
        relay_here(tmp_path / "r", found, {"apns": Stumbling()}) as (port, _),
        closed_side(found, tmp_path / "r" / keys.CLOSED, port) as providers,
    ):
        with structlog.testing.capture_logs() as logs:
            answer = await providers["apns"].send(found.parcel("apns"))
        assert "relay.provider_failed" in [line["event"] for line in logs]
        assert found.name(1) not in repr(logs)
        assert (answer.outcome, answer.reason) == (
            Outcome.UNKNOWN,
            "fault of the provider's client: ZeroDivisionError",
        )
        assert (await providers["apns"].send(found.parcel("apns", 2))).outcome is Outcome.ACCEPTED


async def test_how_the_relay_fares_stands_among_the_servers_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PING_SECONDS", 0.05)
    async with standing(tmp_path) as (found, relay, _, providers):
        registry = CollectorRegistry()
        watch(providers, registry)
        assert registry.get_sample_value("renraku_push_relay_up") == 0
        assert registry.get_sample_value("renraku_push_relay_waiting") is None, "nobody knows yet"
        _, stranger = await asyncio.open_connection("127.0.0.1", relay.port)
        stranger.write(b"GET / HTTP/1.1\r\n\r\n")
        await relay.logged("relay.refused")
        stranger.close()
        found.script("fcm").once.append(Behaviour(status=500))
        await providers["fcm"].send(found.parcel("fcm"))
        await providers["apns"].send(found.parcel("apns"))

        def answers(platform: str, outcome: str) -> float | None:
            labels = {"platform": platform, "outcome": outcome}
            return registry.get_sample_value("renraku_push_relay_answers_total", labels)

        await until(lambda: (answers("apns", "accepted"), answers("fcm", "later")) == (1, 1))
        assert answers("fcm", "accepted") is None
        assert registry.get_sample_value("renraku_push_relay_up") == 1
        assert registry.get_sample_value("renraku_push_relay_waiting") == 0
        assert registry.get_sample_value("renraku_push_relay_refused_total") == 1
        await relay.kill()
        await until(lambda: registry.get_sample_value("renraku_push_relay_up") == 0)


async def test_figures_of_a_relay_that_lies_make_no_new_time_series() -> None:
    line = client.Line.__new__(client.Line)
    line._up = asyncio.Event()
    line.figures = wire.Pong(1, 2, {"apns": {"accepted": 3, "x" * 50: 4}, "evil": {"accepted": 5}})
    provider = client.RelayProvider.__new__(client.RelayProvider)
    provider.line = line
    registry = CollectorRegistry()
    watch({"apns": provider}, registry)
    page = generate_latest(registry).decode()
    assert 'renraku_push_relay_answers_total{outcome="accepted",platform="apns"} 3.0' in page
    assert "evil" not in page
    assert "xxx" not in page


async def test_whoever_knocks_and_says_nothing_does_not_keep_the_closed_side_out(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as closing:
        found = await closing.enter_async_context(town(tmp_path))
        relay = await closing.enter_async_context(relay_process(tmp_path / "r", found))
        for _ in range(200):
            closing.enter_context(socket.create_connection(("127.0.0.1", relay.port)))
        async with closed_side(found, relay.closed, relay.port) as providers:
            async with asyncio.timeout(serving.HANDSHAKE_SECONDS - 2):
                await again(providers["apns"], found.parcel("apns"), Outcome.ACCEPTED)


async def _send_and_vanish(
    found: Town, relay: RelayProcess, line: CuttingProxy, providers: dict[Platform, Provider], behaviour: Behaviour
) -> Parcel:
    """A parcel is on its way to Apple when the line goes for good; Apple then behaves so."""
    sent = found.parcel("apns")
    gone = asyncio.Event()
    found.apns.before = gone.wait
    sending = asyncio.create_task(providers["apns"].send(sent))
    async with asyncio.timeout(DEADLINE):
        await found.book("apns").saw(1)
    found.script("apns").once.append(behaviour)
    await line.refuse()
    line.drop()
    assert (await sending).outcome is Outcome.UNKNOWN
    await relay.logged("relay.line_down")
    gone.set()
    return sent


async def test_kill_9_in_the_middle(tmp_path: Path) -> None:
    """What had been answered is remembered, what was on its way is unknown, what waited goes out: each rings once, but
    that of which nobody knows."""
    async with town(tmp_path) as found:
        async with relay_process(tmp_path / "r", found) as relay:
            port = relay.port
            async with closed_side(found, relay.closed, port) as providers:
                done = found.parcel("apns", 1)
                assert (await providers["apns"].send(done)).outcome is Outcome.ACCEPTED
                found.script("apns").by_token[found.name(2)] = Behaviour("hang", takes=True)
                middle = found.parcel("apns", 2)
                sending = asyncio.create_task(providers["apns"].send(middle))
                async with asyncio.timeout(DEADLINE):
                    await found.book("apns").saw(2)
                await relay.kill()
                assert (await sending).outcome is Outcome.UNKNOWN
                found.script("apns").by_token.clear()
                async with relay_process(tmp_path / "r", found, port) as relay:
                    assert (await again(providers["apns"], done, Outcome.ACCEPTED)).outcome is Outcome.ACCEPTED
                    answer = await providers["apns"].send(middle)
                    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "the relay was stopped in the middle")
                    assert (await providers["apns"].send(middle)).outcome is Outcome.ACCEPTED
                    assert "relay.interrupted" in relay.log
        tokens = [taken.token for taken in found.book("apns").got]
        assert (tokens.count(found.name(1)), tokens.count(found.name(2))) == (1, 2)
        ids = {taken.headers["apns-id"] for taken in found.book("apns").got if taken.token == found.name(2)}
        assert len(ids) == 1, "under the same id, so that the phone shows it once"


async def test_a_relay_whose_disk_is_full_ends_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    async with (
        town(tmp_path) as found,
        relay_process(tmp_path / "r", found) as relay,
        closed_side(found, relay.closed, relay.port) as providers,
    ):
        assert (await providers["apns"].send(found.parcel("apns"))).outcome is Outcome.ACCEPTED
        resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
        sending = [providers["apns"].send(found.parcel("apns", n, sealed=bytes(2_000))) for n in range(2, 60)]
        assert Outcome.UNKNOWN in {answer.outcome for answer in await asyncio.gather(*sending)}
        async with asyncio.timeout(DEADLINE):
            assert await relay.process.wait() == 1
        assert "cannot be written" in relay.log
        assert "Traceback" not in relay.log
        async with relay_process(tmp_path / "r", found, relay.port):
            sent = found.parcel("apns", 99)
            assert (await again(providers["apns"], sent, Outcome.ACCEPTED)).outcome is Outcome.ACCEPTED


async def test_every_push_is_accounted_for_through_two_kills(tmp_path: Path) -> None:
    """400 pushes, one in twenty of each fault, and kill -9 twice: each device is rung, and twice only where somebody said
    that nobody knows."""
    faults = (CUT, Behaviour("cut", takes=True), Behaviour(status=500), Behaviour("goaway"), Behaviour("reset"))
    unknown: set[str] = set()
    async with town(tmp_path) as found:
        numbers = itertools.count()

        def rule(_: str) -> Behaviour | None:
            number = next(numbers) % 20
            return faults[number] if number < len(faults) else None

        found.script("apns").rule = rule

        async def settle(provider: Provider, number: int) -> None:
            sent = found.parcel("apns", number)
            while True:
                answer = await provider.send(sent)
                if answer.outcome is Outcome.ACCEPTED:
                    return
                assert answer.outcome in (Outcome.LATER, Outcome.UNKNOWN), answer
                # A line that was cut is settled by asking again; what counts is what the relay or Apple's end says.
                if answer.outcome is Outcome.UNKNOWN and answer.reason != "the line to the relay was cut":
                    unknown.add(found.name(number))
                await asyncio.sleep(0.02)

        port = 0
        async with contextlib.AsyncExitStack() as closing:
            settling: list[asyncio.Task[None]] = []
            for seen in (100, 250, 0):
                async with relay_process(tmp_path / "r", found, port) as relay:
                    if not port:
                        port = relay.port
                        provider = (await closing.enter_async_context(closed_side(found, relay.closed, port)))["apns"]
                        settling = [asyncio.create_task(settle(provider, number)) for number in range(400)]
                    async with asyncio.timeout(DEADLINE):
                        if seen:
                            await found.book("apns").saw(seen)
                            await relay.kill()
                        else:
                            await asyncio.gather(*settling)
        rung = Counter(taken.token for taken in found.book("apns").got)
        assert set(rung) == {found.name(number) for number in range(400)}
        assert {token for token, times in rung.items() if times > 1} <= unknown


async def test_it_keeps_and_shows_nothing_of_what_it_carried(tmp_path: Path) -> None:
    async with standing(tmp_path) as (found, relay, _, providers):
        sent = found.parcel("web_push", sealed=b"sealed-for-the-device" * 8)
        found.web_push.browsers[found.name(1)].open = lambda sealed: sealed  # type: ignore[method-assign]
        assert (await providers["web_push"].send(sent)).outcome is Outcome.ACCEPTED
        assert (await providers["apns"].send(found.parcel("apns", 2))).outcome is Outcome.ACCEPTED
        await relay.kill()
        # A clean end of the file, so that what was removed is not merely in the log of changes.
        async with relay_process(tmp_path / "r", found):
            pass
        everything = b"".join(path.read_bytes() for path in relay.data.iterdir()) + relay.log.encode()
        for secret in (b"sealed-for-the-device", found.name(1).encode(), found.name(2).encode(), sent.text.encode()):
            assert secret not in everything


# Who is who


async def test_a_forged_relay_gets_nothing_and_is_on_record(tmp_path: Path) -> None:
    (tmp_path / "forged").mkdir()
    keys.make(tmp_path / "forged")
    async with town(tmp_path) as found, relay_process(tmp_path / "r", found) as real:
        got = asyncio.Queue[bytes]()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.put_nowait(await reader.read())
            writer.close()

        forged = keys.context(tmp_path / "forged" / keys.RELAY, server=True)
        forged.verify_mode = ssl.CERT_NONE  # it would take anybody
        server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=forged)
        port = server.sockets[0].getsockname()[1]
        try:
            with structlog.testing.capture_logs() as logs:
                async with closed_side(found, real.closed, port) as providers:
                    answer = await providers["apns"].send(found.parcel("apns"))
            assert (answer.outcome, answer.reason) == (Outcome.LATER, "no line to the relay")
            assert [line["event"] for line in logs].count("push.relay_refused") >= 1
            assert got.empty()
        finally:
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize("who", ["another closed side", "no certificate", "no TLS", "the relay's own certificate"])
async def test_a_forged_closed_side_is_refused_and_on_record(tmp_path: Path, who: str) -> None:
    (tmp_path / "forged").mkdir()
    keys.make(tmp_path / "forged")
    async with town(tmp_path) as found, relay_process(tmp_path / "r", found) as relay:
        context: ssl.SSLContext | None = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if who == "another closed side":
            context = keys.context(tmp_path / "forged" / keys.CLOSED, server=False)
        elif who == "the relay's own certificate":
            context = keys.context(tmp_path / "r" / keys.RELAY, server=False)
        elif who == "no TLS":
            context = None
        if context is not None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it takes any relay
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port, ssl=context)
            writer.write(wire.frame(wire.Hand(found.parcel("apns"))))
            with contextlib.suppress(OSError):
                assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
            writer.transport.abort()
        await relay.logged("relay.refused")
        assert found.book("apns").requests == 0
        async with closed_side(found, relay.closed, relay.port) as providers:
            assert (await providers["apns"].send(found.parcel("apns"))).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "rubbish",
    [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x02\x91\xa1x", b"\x00\x00\x01\x00" + b"\x91" * 256],
)
async def test_rubbish_ends_that_connection_alone(tmp_path: Path, rubbish: bytes) -> None:
    async with standing(tmp_path) as (found, relay, _, providers):
        context = keys.context(relay.closed, server=False)
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port, ssl=context)
        assert isinstance(await wire.to_closed(reader), wire.Hello)
        writer.write(rubbish)
        with contextlib.suppress(OSError):
            assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
        writer.transport.abort()
        assert (await providers["apns"].send(found.parcel("apns"))).outcome is Outcome.ACCEPTED


async def test_who_asks_without_end_and_reads_nothing_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "SILENCE_SECONDS", 1.0)
    async with town(tmp_path) as found, relay_here(tmp_path / "r", found) as (port, relay):
        context = keys.context(tmp_path / "r" / keys.CLOSED, server=False)
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=line, ssl=context, server_hostname="relay", limit=1)
        assert isinstance(await wire.to_closed(reader), wire.Hello)
        pings = wire.frame(wire.Ping()) * 1000
        with contextlib.suppress(OSError):
            async with asyncio.timeout(DEADLINE):
                while relay._lines:
                    writer.write(pings)
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.transport.abort()
        assert not relay._lines


async def test_an_endpoint_that_is_not_allowed_is_handed_to_nobody(tmp_path: Path) -> None:
    async with standing(tmp_path) as (found, _, line, providers):
        sent = dataclasses.replace(found.parcel("web_push"), token="https://evil.example/x")
        assert (await providers["web_push"].send(sent)).outcome is Outcome.REFUSED
        assert line.accepted == 0


async def test_a_silent_line_is_found_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_SECONDS", 3)
    monkeypatch.setattr(
        client, "PING_SECONDS", 0.1
    )  # the relay is another process, which has to answer in the time above
    async with standing(tmp_path) as (found, _, line, providers):
        assert (await providers["apns"].send(found.parcel("apns"))).outcome is Outcome.ACCEPTED
        line.stall()
        sent = found.parcel("apns", 2)
        async with asyncio.timeout(DEADLINE):
            assert (await providers["apns"].send(sent)).outcome is Outcome.UNKNOWN
        line.flow()
        assert (await again(providers["apns"], sent, Outcome.ACCEPTED)).outcome is Outcome.ACCEPTED


async def test_the_line_goes_through_the_outgoing_proxy(tmp_path: Path) -> None:
    async with town(tmp_path) as found, relay_process(tmp_path / "r", found) as relay, connect_proxy() as proxy:
        proxy.names = {"relay.city.example:8600": ("127.0.0.1", relay.port)}
        address = f"http://127.0.0.1:{proxy.port}"
        async with closed_side(found, relay.closed, 8600, "relay.city.example", push_proxy=address) as providers:
            assert (await providers["apns"].send(found.parcel("apns"))).outcome is Outcome.ACCEPTED


async def test_a_hundred_at_once(tmp_path: Path) -> None:
    async with standing(tmp_path) as (found, _, line, providers):
        sent = [found.parcel(platform, n) for n in range(25) for platform in PLATFORMS]
        answers = await asyncio.gather(*(providers[one.platform].send(one) for one in sent))
        assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
        assert line.accepted == 1
