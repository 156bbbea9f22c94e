"""What is refused before anything looks at it, and what every answer carries (security.md, 20, 28, 35, 39)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain import limits
from chat_server.http import body as body_rules
from chat_server.http import protocol
from tests.support.api import Api, code_of
from tests.support.patience import DEADLINE
from tests.support.server import RunningServer, read_answer, running_server
from tests.support.world import Someone, World
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def someone(world: World) -> Someone:
    return await world.person(await world.organization("midorino", "みどり野市"))


def request(method: str, target: str, *lines: str, host: str = "127.0.0.1", body: bytes = b"") -> bytes:
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def error(answer: bytes) -> int:
    return int(json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"])


# Where from


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8080", True),
        ("localhost:8080", True),
        ("[::1]:8080", True),
        ("192.0.2.7", True),
        ("chat.midorino.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("", False),
        ("evil.example:80:80", False),
    ],
)
async def test_a_forged_host_is_refused(server: RunningServer, host: str, allowed: bool) -> None:
    answer = await server.raw(request("GET", "/healthz", host=host))
    assert status(answer) == (200 if allowed else 403)
    if not allowed:
        assert error(answer) == 1008


async def test_two_hosts_or_none_are_refused(server: RunningServer) -> None:
    assert status(await server.raw(request("GET", "/healthz", "Host: evil.example"))) in (400, 403)
    assert status(await server.raw(b"GET /healthz HTTP/1.1\r\n\r\n")) in (400, 403)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1", False),
        ("https://127.0.0.1:8080", True),
        ("http://evil.example", False),
        ("http://evil.example:8080", False),
        ("http://127.0.0.1:8080.evil.example", False),
        ("null", False),
        ("file://", False),
        ("", False),
    ],
)
async def test_a_foreign_page_cannot_write(server: RunningServer, origin: str, allowed: bool) -> None:
    body = b'{"organization": "midorino", "login": "x"}'
    answer = await server.raw(
        request(
            "POST", "/api/sign-in", f"Origin: {origin}", "Content-Type: application/json",
            f"Content-Length: {len(body)}", host="127.0.0.1:8080", body=body,
        )
    )  # fmt: skip
    assert status(answer) == (200 if allowed else 403)
    assert b"access-control-allow-origin" not in answer.lower()
    if not allowed:
        assert error(answer) == 1008


async def test_names_and_tls_are_the_operators(tmp_path: Path) -> None:
    async with running_server(tmp_path, hosts=("Chat.Midorino.example",), https=True) as server:
        named = await server.raw(request("GET", "/healthz", host="chat.midorino.example"))
        assert status(named) == 200
        assert b"strict-transport-security: max-age=" in named.lower()
        body = b'{"organization": "midorino", "login": "x"}'
        plain = request(
            "POST", "/api/sign-in", "Origin: http://chat.midorino.example", "Content-Type: application/json",
            f"Content-Length: {len(body)}", host="chat.midorino.example", body=body,
        )  # fmt: skip
        assert error(await server.raw(plain)) == 1008
        assert status(await server.raw(plain.replace(b"Origin: http:", b"Origin: https:"))) == 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    proxies = ("127.0.0.0/8", "192.0.2.0/24")
    async with running_server(tmp_path_factory.mktemp("proxied"), trusted_proxies=proxies) as server:
        yield World(server)


async def address_on_record(world: World, forwarded: list[str]) -> str:
    """Where the server thinks that a request came from: what the audit trail keeps of it."""
    world.made += 1
    org = await world.organization(f"org{world.made}", "みどり野市")
    person = await world.person(org)
    async with world.server.client(person.token) as client:
        answer = await client.post(
            "/api/rooms",
            json={"kind": "private", "name": "x"},
            headers=[("X-Forwarded-For", value) for value in forwarded],
        )
        assert answer.status_code == 200
    row = await world.server.app.storage.read(lambda tx: tx.one("SELECT address FROM audit WHERE org_id = ?", org.id))
    assert row is not None
    return str(row[0])


async def test_a_forwarded_address_is_ignored_without_a_trusted_proxy(world: World) -> None:
    assert await address_on_record(world, ["203.0.113.9"]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 192.0.2.1"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["203.0.113.9, evil"], "127.0.0.1"),
        (["192.0.2.5"], "192.0.2.5"),
    ],
    ids=str,
)
async def test_behind_a_trusted_proxy_the_nearest_stranger_counts(
    behind_a_proxy: World, forwarded: list[str], address: str
) -> None:
    assert await address_on_record(behind_a_proxy, forwarded) == address


# How large, how deep, how slow


async def test_a_json_body_over_its_limit_is_refused_at_once(server: RunningServer, someone: Someone) -> None:
    lines = (f"Authorization: Bearer {someone.token}", "Content-Type: application/json")
    announced = request("POST", "/api/rooms", *lines, f"Content-Length: {limits.BODY_BYTES + 1}")
    answer = await server.raw(announced)
    assert (status(answer), error(answer)) == (413, 2003)
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    streamed = request("POST", "/api/rooms", *lines, "Transfer-Encoding: chunked", body=piece * 20)
    answer = await server.raw(streamed)
    assert (status(answer), error(answer)) == (413, 2003)


async def test_forms_are_never_parsed(server: RunningServer, someone: Someone) -> None:
    bombs = {
        "application/x-www-form-urlencoded": b"&".join(b"a=b" for _ in range(200_000)),
        "multipart/form-data; boundary=x": b"--x\r\n" * 100_000,
        "text/plain": b'{"kind": "private", "name": "x"}',
    }
    async with server.client(someone.token) as client:
        for content_type, body in bombs.items():
            async with asyncio.timeout(DEADLINE):
                answer = await client.post("/api/rooms", content=body, headers={"Content-Type": content_type})
            assert (answer.status_code, code_of(answer)) == (400, 2002)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"kind":"private","name":' + b"[" * 200_000,
        b'{"kind":"private","name":"x","unknown":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000,
        b'{"kind":"private","name":"\xff"}',
        b'{"kind":"private","name":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"",
        b"null",
        b'{"kind":"private","name":1e999}',
        b'{"kind":"private","name":"x","members":' + b"[0," * 1000,
    ],
    ids=range(11),
)
async def test_bad_json_is_a_numbered_error(server: RunningServer, someone: Someone, body: bytes) -> None:
    async with server.client(someone.token) as client:
        answer = await client.post("/api/rooms", content=body, headers={"Content-Type": "application/json"})
    assert code_of(answer) in (2001, 2002)


async def test_headers_have_limits(server: RunningServer) -> None:
    many = request("GET", "/healthz", *(f"X-{n}: 1" for n in range(200)))
    assert error(await server.raw(many)) == 2003
    long = request("GET", "/healthz", "X-Long: " + "x" * 40_000)
    assert error(await server.raw(long)) == 2003
    address = request("GET", "/healthz?" + "x" * 10_000)
    assert error(await server.raw(address)) == 2003
    endless = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Endless: " + b"x" * (4 * protocol.HEAD_BYTES)
    assert status(await server.raw(endless)) == 431


async def test_a_head_that_never_ends_is_given_up(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: 127"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["lgwan"])
        writer.write(begun)
        async with asyncio.timeout(DEADLINE):
            assert await reader.read() == b""
        writer.close()


async def dribble(server: RunningServer, head: bytes, piece: bytes, seconds: float) -> bytes:
    """Send `piece` again and again, then the end of the body; the server's answer, whenever it comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["lgwan"])
    writer.write(head)
    answer, until = asyncio.ensure_future(read_answer(reader)), asyncio.get_running_loop().time() + seconds
    while not answer.done() and asyncio.get_running_loop().time() < until:
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await asyncio.wait({answer}, timeout=0.01)
    writer.write(b"0\r\n\r\n")
    async with asyncio.timeout(DEADLINE):
        whole = await answer
    writer.close()
    return whole


@pytest.mark.parametrize("target", ["/api/rooms", "/api/photos"])
async def test_a_body_that_never_ends_is_given_up(
    server: RunningServer, someone: Someone, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setattr(body_rules, "WHOLE_SECONDS", 0.2)
    head = request("POST", target, *chunked(someone))
    answer = await dribble(server, head, b" ", seconds=DEADLINE / 2)
    assert (status(answer), error(answer)) == (400, 2002)
    assert b"too slowly" in answer


async def test_a_photo_that_keeps_coming_has_time(
    server: RunningServer, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad line is no attack: ten times as long as JSON may take, and all of it is looked at."""
    monkeypatch.setattr(body_rules, "WHOLE_SECONDS", 0.1)
    answer = await dribble(server, request("POST", "/api/photos", *chunked(someone)), b"x" * 8192, seconds=1)
    assert error(answer) == 5002


def chunked(someone: Someone) -> tuple[str, ...]:
    return (f"Authorization: Bearer {someone.token}", "Content-Type: application/json", "Transfer-Encoding: chunked")


async def test_a_connection_is_good_for_several_requests(server: RunningServer) -> None:
    """The limits of a head count anew for each: kept connections are not cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["lgwan"])
    padding = "X-Pad: " + "x" * 20_000
    for _ in range(8):
        writer.write(request("GET", "/healthz", padding))
        head = await reader.readuntil(b"\r\n\r\n")
        assert status(head) == 200
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


# What exactly


@pytest.mark.parametrize(
    "body",
    [
        {"user": {"$gt": ""}},
        {"user": ["06ed0000000000000000000001"]},
        {"user": "' OR 1=1 --"},
        {"user": None},
        {"user": 1},
        {},
    ],
    ids=str,
)
async def test_operator_objects_are_no_ids(server: RunningServer, someone: Someone, body: Any) -> None:
    async with server.client(someone.token) as client:
        answer = await client.post("/api/rooms/direct", json=body)
    assert (answer.status_code, code_of(answer)) == (422, 2001)
    assert answer.json()["error"]["field"] == "user"


async def test_the_field_is_named_by_its_path(server: RunningServer, someone: Someone) -> None:
    async with server.client(someone.token) as client:
        answer = await client.post(
            "/api/rooms", json={"kind": "private", "name": "x", "members": ["06ed0000000000000000000001", 7]}
        )
        assert answer.json()["error"]["field"] == "members[1]"
        missing = await client.post("/api/rooms", json={"kind": "private"})
        assert (missing.json()["error"]["field"], missing.json()["error"]["params"]["reason"]) == ("name", "missing")
        query = await client.get("/api/rooms/open", params={"limit": "many"})
        assert query.json()["error"]["field"] == "limit"
        twice = await client.get("/api/rooms/open?limit=1&limit=2")
        assert code_of(twice) == 2001
        cursor = await client.get("/api/rooms/open", params={"cursor": "////"})
        assert cursor.json()["error"]["field"] == "cursor"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/api/rooms/' OR 1=1 --", 3001),
        ("/api/rooms/" + "0" * 26, 3001),
        ("/api/rooms/" + "0" * 27, 3001),
        ("/api/messages/%00", 4001),
        ("/api/messages/%E9%81%93/readers", 4001),
        ("/api/messages/" + "v" * 26, 4001),
    ],
)
async def test_what_is_no_id_answers_as_what_does_not_exist(
    server: RunningServer, someone: Someone, target: str, code: int
) -> None:
    async with server.client(someone.token) as client:
        assert code_of(await client.get(target)) == code


async def test_unknown_addresses_and_methods_are_numbered(server: RunningServer, someone: Someone) -> None:
    async with server.client(someone.token) as client:
        assert code_of(await client.get("/api/nothing")) == 2004
        assert code_of(await client.get("/api/rooms/")) == 2004
        assert code_of(await client.get("/nothing")) == 2007
        assert code_of(await client.get("/..%2f..%2fetc/passwd")) == 2007
        wrong = await client.put("/api/rooms")
        assert (wrong.status_code, code_of(wrong), wrong.headers["allow"]) == (405, 2005, "GET, HEAD, POST")
        assert code_of(await client.request("OPTIONS", "/api/rooms")) == 2005
        assert code_of(await client.post("/healthz")) == 2005


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer x", "Bearer a.b.c", "Bearer " + "x" * 5000, "Bearer \x80"],
)
async def test_a_bad_authorization_is_401(server: RunningServer, authorization: str) -> None:
    answer = await server.raw(request("GET", "/api/rooms", f"Authorization: {authorization}"))
    assert status(answer) == 401
    assert error(answer) in (1003, 1004)
    assert b"\r\nwww-authenticate: Bearer\r\n" in answer


async def test_a_token_is_good_in_its_zone_only(server: RunningServer, someone: Someone) -> None:
    async with server.client(someone.token, "internet") as client:
        assert code_of(await client.get("/api/rooms")) == 1004
        for name in ("X-Zone", "Renraku-Zone", "X-Renraku-Zone"):
            assert code_of(await client.get("/api/rooms", headers={name: "lgwan"})) == 1004


async def test_two_authorizations_are_none(server: RunningServer, someone: Someone) -> None:
    line = f"Authorization: Bearer {someone.token}"
    assert status(await server.raw(request("GET", "/api/rooms", line))) == 200
    assert error(await server.raw(request("GET", "/api/rooms", line, line))) == 1003


# What every answer carries


async def test_security_headers_are_on_every_answer(
    server: RunningServer, someone: Someone, document: Mapping[str, Any]
) -> None:
    async with server.client(someone.token) as client:
        answers = [
            await client.get("/"),
            await client.get("/healthz"),
            await client.get("/api/rooms"),
            await client.head("/api/rooms"),
            await client.get("/api/openapi.json"),
            await client.get("/nothing"),
            await client.put("/api/rooms"),
            await client.get("/files/nothing"),
            await client.post("/api/rooms", content=b"", headers={"Content-Type": "application/json"}),
            await client.get("/api/rooms", params={"access_token": "x"}),
            await client.get("/healthz", headers={"Host": "evil.example"}),
        ]
    assert {answer.status_code for answer in answers} == {200, 400, 403, 404, 405}
    for answer in answers:
        headers = answer.headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
            "worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        ), answer.url
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "permissions-policy" in headers
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers
        assert "server" not in headers


async def test_a_fault_of_the_server_has_a_number_and_says_nothing(
    server: RunningServer, world: World, document: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The blob behind a photo vanishes: a state that no request can bring about."""
    person = await world.person(await world.organization("broken", "みどり野市"))
    api = Api(server.client(person.token), document)
    async with api.client:
        photo = (await api.call("upload_photo", content=encoded(picture()))).json()["id"]
        items = (await api.call("give_addresses", json={"ids": [photo]})).json()["items"]
        blobs = server.app.settings.folder / "blobs" / str(person.actor.org_id)
        for path in sorted(blobs.rglob("*")):
            if path.is_file():
                path.unlink()
        answer = await api.client.get(items[0]["addresses"]["thumbnail"])
    assert (answer.status_code, code_of(answer)) == (500, 9001)
    trace = answer.json()["error"]["params"]["trace"]
    assert trace in answer.json()["error"]["ja"]
    assert str(blobs) not in answer.text
    assert "FileNotFound" not in answer.text
    logged = capsys.readouterr()
    assert trace in logged.out + logged.err
    assert "FileNotFoundError" in logged.out + logged.err
