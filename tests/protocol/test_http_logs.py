"""What the log of a real server process holds, and what it never does (security.md, 21, and CRLF in logs)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.patience import DEADLINE
from tests.support.process import server_process
from tests.support.server import read_answer, running_server
from tests.support.world import World
from tests.unit.photo_samples import encoded, picture

SECRETS = {
    "in_query": "query-secret-0123456789",
    "as_header": "header-secret-0123456789",
    "as_password": "password-secret-0123456789",
    "as_flow": "flow-secret-0123456789",
    "as_text": "本文の秘密0123456789",
    "as_path": "path-secret-0123456789",
    "as_name": "photo-name-secret.jpg",
    "as_renewal": "renewal-secret-0123456789",
    "as_subscription": "subscription-secret-0123456789",
}


async def ask(port: int, method: str, target: str, *lines: str, body: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *lines, f"Content-Length: {len(body)}", "", ""]
    writer.write("\r\n".join(head).encode("latin-1") + body)
    async with asyncio.timeout(DEADLINE):
        answer = await read_answer(reader)
    writer.close()
    return answer


async def test_a_log_tells_routes_and_no_secrets(tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "scratch"
    scratch.mkdir()
    async with running_server(data) as server:
        world = World(server)
        person = await world.person(await world.organization("midorino", "みどり野市"))
        room = await world.room(person)

    json_type = "Content-Type: application/json"
    signed_in = f"Authorization: Bearer {person.token}"
    async with server_process(data, scratch) as process:
        port = process.ports["lgwan"]

        async def posted(target: str, body: Any, *lines: str) -> bytes:
            return await ask(port, "POST", target, json_type, *lines, body=json.dumps(body).encode())

        refused = [
            await ask(port, "GET", f"/api/rooms?access_token={SECRETS['in_query']}"),
            await ask(port, "GET", f"/api/rooms?x={person.token}"),
            await ask(port, "GET", f"/ws?token={SECRETS['in_query']}", "Connection: Upgrade", "Upgrade: websocket",
                      "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        ]  # fmt: skip
        assert [answer.split(b" ", 2)[1] for answer in refused[:2]] == [b"400", b"400"]
        assert b'"code":1007' in refused[0]
        assert refused[2].split(b" ", 2)[1] in (b"400", b"403")

        await ask(port, "GET", "/api/rooms", f"Authorization: Bearer {SECRETS['as_header']}")
        await posted("/api/sign-in/password", {"flow": SECRETS["as_flow"], "password": SECRETS["as_password"]})
        subscription = f"https://push.example/{SECRETS['as_subscription']}"
        for keys in ({"p256dh": "B" + "A" * 86, "auth": "A" * 22}, {"p256dh": "", "auth": ""}):
            await posted("/api/push/renewal", {"renewal": SECRETS["as_renewal"], "token": subscription, **keys})
        await ask(port, "GET", f"/files/{SECRETS['as_path']}")
        await ask(port, "GET", f"/{SECRETS['as_path']}%0d%0aforged%20line")
        body = {"client_msg_id": "in-the-log", "blocks": [{"type": "text", "text": SECRETS["as_text"]}]}
        sent = await posted(f"/api/rooms/{room}/messages", body, signed_in)
        assert sent.split(b" ", 2)[1] == b"200"
        photo = await ask(port, "POST", f"/api/photos?name={SECRETS['as_name']}", signed_in, body=encoded(picture()))
        assert photo.split(b" ", 2)[1] == b"200"
        addressed = await posted(
            "/api/attachments/addresses", {"ids": [json.loads(photo.split(b"\r\n\r\n")[1])["id"]]}, signed_in
        )
        assert b"/files/" in addressed, addressed
        address = json.loads(addressed.split(b"\r\n\r\n", 1)[1])["items"][0]["addresses"]["thumbnail"]
        assert (await ask(port, "GET", address)).split(b" ", 2)[1] == b"200"
        await ask(port, "POST", "/api/rooms", json_type, signed_in, "Idempotency-Key: idempotency-in-log",
                  body=b'{"kind":"private","name":"\\r\\nforged"}')  # fmt: skip

    log = (scratch / "server.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    asked = [line for line in lines if line["event"] == "request"]
    assert len(asked) == 13
    assert all(set(line) == {"event", "level", "timestamp", "method", "route", "status", "ms", "actor", "trace"}
               for line in asked)  # fmt: skip
    assert {(line["method"], line["route"], line["status"]) for line in asked} >= {
        ("GET", "-", 400),
        ("GET", "/api/rooms", 401),
        ("GET", "/files/{capability}", 404),
        ("GET", "/files/{capability}", 200),
        ("POST", "/api/rooms/{room}/messages", 200),
        ("POST", "/api/photos", 200),
        ("POST", "/api/push/renewal", 404),
        ("POST", "/api/push/renewal", 422),
    }
    assert {line["actor"] for line in asked} == {None, person.id}
    for name, secret in {**SECRETS, "token": person.token, "address": address}.items():
        assert secret not in log, name
        assert secret.removeprefix("/files/")[:40] not in log, name
    assert room not in log
    assert "forged" not in log
