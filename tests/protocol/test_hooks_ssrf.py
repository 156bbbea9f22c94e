"""What goes out goes to the very address that was checked, over TLS that was verified, and nowhere else (security.md, 38)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from chat_server.domain.errors import Problem
from chat_server.domain.webhooks import Hosts
from chat_server.webhooks import client as module
from chat_server.webhooks.client import WebhookClient
from tests.support.certificates import Authority
from tests.support.patience import DEADLINE
from tests.support.receiver import Receiver, receiver

HOST = "hooks.city.example"


class Names:
    """A resolver whose answers are given one after the other, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise OSError("no such name")
        return found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest_asyncio.fixture
async def theirs(authority: Authority) -> AsyncIterator[Receiver]:
    async with receiver(authority.server(HOST)) as found:
        yield found


@contextlib.contextmanager
def going(theirs: Receiver, names: Names, ca: str, *, private: bool = True) -> Iterator[tuple[WebhookClient, str]]:
    """A client that may go to HOST, and its address."""
    rule = f"{HOST}:{theirs.port}"
    client = WebhookClient(Hosts((rule,), (rule,) if private else ()), ca, names)
    yield client, f"https://{HOST}:{theirs.port}/in?x=1"


async def fault(client: WebhookClient, url: str) -> int:
    with pytest.raises(Problem) as caught:
        await client.post(url, {}, b"{}")
    await client.close()
    return caught.value.fault.code


async def test_over_tls_to_the_address_by_the_name(theirs: Receiver, authority: Authority) -> None:
    names = Names(["127.0.0.1"])
    with going(theirs, names, str(authority.path)) as (client, url):
        await client.post(url, {"webhook-id": "x"}, b"{}")
        await client.close()
    one = await theirs.next()
    assert (one.headers["host"], one.path, one.headers["webhook-id"]) == (f"{HOST}:{theirs.port}", "/in?x=1", "x")
    assert names.asked == [HOST]


async def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once(
    theirs: Receiver, authority: Authority
) -> None:
    """Rebinding: the check would see one address, the connection another."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    with going(theirs, names, str(authority.path)) as (client, url):
        await client.post(url, {}, b"{}")
        assert names.asked == [HOST]
        assert await fault(client, url) == 7011, "the next delivery asks anew, and is refused"
    assert theirs.got.qsize() == 1


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["100.64.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["2606:4700::1111", "::1"],
    ],
)
async def test_inner_addresses_are_refused_however_they_are_written(
    theirs: Receiver, authority: Authority, found: list[str]
) -> None:
    with going(theirs, Names(found), str(authority.path), private=False) as (client, url):
        assert await fault(client, url) == 7011
    assert theirs.got.empty()


async def test_a_redirect_is_not_followed(theirs: Receiver, authority: Authority) -> None:
    async with receiver() as inner:
        theirs.answers(308, f"location: http://127.0.0.1:{inner.port}/\r\n")
        with going(theirs, Names(["127.0.0.1"]), str(authority.path)) as (client, url):
            assert await fault(client, url) == 7015
        assert inner.got.empty()


async def test_no_proxy_and_no_password_of_the_environment(
    theirs: Receiver, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with receiver() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        (tmp_path / "netrc").write_text(f"machine {HOST} login a password b\nmachine 127.0.0.1 login a password b\n")
        with going(theirs, Names(["127.0.0.1"]), str(authority.path)) as (client, url):
            await client.post(url, {}, b"{}")
            await client.close()
        assert "authorization" not in (await theirs.next()).headers
        assert proxy.got.empty()


async def test_a_certificate_of_another_name_or_authority_is_refused(
    theirs: Receiver, authority: Authority, tmp_path: Path
) -> None:
    async with receiver(authority.server("other.example")) as other:
        with going(other, Names(["127.0.0.1"]), str(authority.path)) as (client, url):
            assert await fault(client, url) == 7012
        assert other.got.empty()
    (tmp_path / "another").mkdir()
    with going(theirs, Names(["127.0.0.1"]), str(Authority(tmp_path / "another").path)) as (client, url):
        assert await fault(client, url) == 7012
    with going(theirs, Names(["127.0.0.1"]), "") as (client, url):
        assert await fault(client, url) == 7012
    assert theirs.got.empty()


async def test_a_name_that_is_none_and_a_server_that_is_not_there(theirs: Receiver, authority: Authority) -> None:
    with going(theirs, Names([]), str(authority.path)) as (client, url):
        assert await fault(client, url) == 7010
    with going(theirs, Names(["127.0.0.3"]), str(authority.path)) as (client, url):
        assert await fault(client, url) == 7010


async def test_where_one_address_does_not_answer_the_next_is_tried(theirs: Receiver, authority: Authority) -> None:
    with going(theirs, Names(["127.0.0.3", "127.0.0.1"]), str(authority.path)) as (client, url):
        await client.post(url, {}, b"{}")
        await client.close()
    assert theirs.got.qsize() == 1


async def test_a_host_that_is_not_listed_is_not_even_resolved(theirs: Receiver, authority: Authority) -> None:
    names = Names(["127.0.0.1"])
    with going(theirs, names, str(authority.path)) as (client, _):
        assert await fault(client, "https://other.example/") == 7004
    assert names.asked == []


async def test_it_ends_in_time_whatever_the_other_side_does(
    theirs: Receiver, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.5)
    theirs.answer = None
    with going(theirs, Names(["127.0.0.1"]), str(authority.path)) as (client, url):
        assert await fault(client, url) == 7013

    class Slow(Names):
        async def __call__(self, host: str, port: int) -> list[str]:
            await asyncio.Event().wait()
            return []

    with going(theirs, Slow([]), str(authority.path)) as (client, url):
        assert await fault(client, url) == 7013


async def test_an_answer_without_end_is_not_read(theirs: Receiver, authority: Authority) -> None:
    theirs.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n" + b"x" * 50_000_000
    with going(theirs, Names(["127.0.0.1"]), str(authority.path)) as (client, url):
        async with asyncio.timeout(DEADLINE):
            await client.post(url, {}, b"{}")
        await client.close()


async def test_a_header_without_end_is_not_read(theirs: Receiver, authority: Authority) -> None:
    theirs.answer = b"HTTP/1.1 200 OK\r\nx: " + b"x" * 1_000_000
    with going(theirs, Names(["127.0.0.1"]), str(authority.path)) as (client, url):
        assert await fault(client, url) == 7014
