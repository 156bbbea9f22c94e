"""The bad line does what it says; other tests stand on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.client.waiting import soon
from tests.support.cutting_proxy import CuttingProxy


class Echo:
    """Keeps what comes, and answers every byte with itself unless it is `dumb`."""

    def __init__(self) -> None:
        self.dumb = False
        self.received = bytearray()
        self.port = 0
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.received += data
                if not self.dumb:
                    writer.write(data)
                    await writer.drain()
            self.ends.put_nowait("end")
        except ConnectionError:
            self.ends.put_nowait("reset")
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    answering = Echo()
    server = await asyncio.start_server(answering, "127.0.0.1", 0)
    answering.port = server.sockets[0].getsockname()[1]
    yield answering
    server.close()


@pytest.fixture
async def line(echo: Echo) -> AsyncIterator[CuttingProxy]:
    async with CuttingProxy("127.0.0.1", echo.port) as proxy:
        yield proxy


async def connect(line: CuttingProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await soon(asyncio.open_connection("127.0.0.1", line.port))


async def read_all(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """What came, and whether it ended in order."""
    found = bytearray()
    try:
        while data := await reader.read(65536):
            found += data
    except ConnectionError:
        return bytes(found), "reset"
    return bytes(found), "end"


async def test_it_passes_everything(line: CuttingProxy, echo: Echo) -> None:
    reader, writer = await connect(line)
    payload = bytes(range(256)) * 2000
    writer.write(payload)
    writer.write_eof()
    assert await soon(read_all(reader)) == (payload, "end")
    assert (line.up, line.down, line.accepted, line.cuts) == (len(payload), len(payload), 1, 0)
    writer.close()


@pytest.mark.parametrize("count", [0, 1, 100, 70_000])
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_it_cuts_up_after_exactly_so_many_bytes(line: CuttingProxy, echo: Echo, count: int, how: str) -> None:
    # An answer on its way would turn an orderly end into a reset.
    echo.dumb = True
    line.cut_after(up=count, how=how)  # type: ignore[arg-type]
    reader, writer = await connect(line)
    writer.write(b"x" * 100_000)
    await soon(line.was_cut())
    assert await soon(echo.ends.get()) == ("reset" if how == "reset" else "end")
    assert len(echo.received) == count
    await soon(read_all(reader))
    writer.close()


@pytest.mark.parametrize("count", [0, 1, 100])
async def test_it_cuts_down_after_exactly_so_many_bytes(line: CuttingProxy, echo: Echo, count: int) -> None:
    line.cut_after(down=count)
    reader, writer = await connect(line)
    writer.write(b"x" * 1000)
    assert await soon(read_all(reader)) == (b"x" * count, "reset")
    assert len(echo.received) == 1000
    writer.close()
    # Once only.
    reader, writer = await connect(line)
    writer.write(b"again")
    assert await soon(reader.readexactly(5)) == b"again"
    writer.close()


async def test_a_stalled_line_carries_nothing_and_tells_nobody(line: CuttingProxy, echo: Echo) -> None:
    reader, writer = await connect(line)
    writer.write(b"before")
    await soon(reader.readexactly(6))
    line.stall("down")
    writer.write(b"heard, not answered")
    await soon(line.passed(up=25))
    reading = asyncio.create_task(reader.readexactly(19))
    await asyncio.wait([reading], timeout=0.05)
    assert not reading.done()
    line.flow()
    assert await soon(reading) == b"heard, not answered"
    line.stall()
    writer.close()
    line.flow()
    assert await soon(echo.ends.get()) == "end"


async def test_a_throttled_line_takes_its_time(line: CuttingProxy) -> None:
    line.throttle(200_000)
    reader, writer = await connect(line)
    loop = asyncio.get_running_loop()
    began = loop.time()
    writer.write(b"x" * 60_000)
    await soon(reader.readexactly(60_000))
    assert loop.time() - began > 0.25
    line.throttle(None)
    writer.close()


async def test_it_refuses_and_accepts_on_the_same_port(line: CuttingProxy) -> None:
    reader, writer = await connect(line)
    port = line.port
    await line.refuse()
    with pytest.raises(ConnectionRefusedError):
        await connect(line)
    writer.write(b"stands")
    assert await soon(reader.readexactly(6)) == b"stands"
    line.drop()
    assert (await soon(read_all(reader)))[1] == "reset"
    await line.accept()
    assert line.port == port
    _, again = await connect(line)
    writer.close()
    again.close()


async def test_it_leads_to_a_server_that_moved(line: CuttingProxy) -> None:
    line.lead_to(9)
    reader, writer = await connect(line)
    assert (await soon(read_all(reader)))[0] == b""
    writer.close()
