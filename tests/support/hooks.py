"""Webhooks of a scene's room, and requests signed as docs/webhooks.md says, written anew: no code of the server's."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from chat_server.storage.queries import organizations
from tests.support.uploads import Scene
from tests.support.world import Org, Someone


async def call(scene: Scene, who: Someone, method: str, path: str, **body: Any) -> tuple[int, Any]:
    """(status or error's number, answer)"""
    token = scene.token_now(who) if who.actor.org_id == scene.org.id else who.token
    async with scene.server.client(token) as client:
        answer = await client.request(method, path, json=body or None)
    if answer.status_code >= 400:
        return int(answer.json()["error"]["code"]), answer.json()["error"]
    return answer.status_code, answer.json() if answer.content else None


async def allow(scene: Scene, org: Org | None = None, rule: str = "member") -> None:
    """The organization's rule."""
    org_id = (org or scene.org).id
    await scene.server.app.storage.write(lambda tx: organizations.set_own_rules(tx, org_id, {"webhooks": rule}))


async def made(scene: Scene, url: str = "", name: str = "水位計") -> dict[str, Any]:
    """A hook of the scene's room, with its secret."""
    await allow(scene)
    status, hook = await call(scene, scene.owner, "POST", f"/api/rooms/{scene.room}/hooks", name=name, url=url)
    assert status == 200, hook
    found: dict[str, Any] = hook
    return found


async def state(scene: Scene, hook: dict[str, Any]) -> dict[str, Any]:
    """The hook as its owner sees it now."""
    items = (await call(scene, scene.owner, "GET", f"/api/rooms/{scene.room}/hooks"))[1]["items"]
    found: dict[str, Any] = next(one for one in items if one["id"] == hook["id"])
    return found


def signature(secret: str, event: str, timestamp: str, body: bytes) -> str:
    key = b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{event}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + b64encode(signed.digest()).decode()


def signed(scene: Scene, secret: str, event: str, body: bytes, *, late: int = 0) -> dict[str, str]:
    """Headers. `late`: seconds ago."""
    timestamp = str(scene.server.clock.now() // 1000 - late)
    return {
        "content-type": "application/json",
        "webhook-id": event,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, event, timestamp, body),
    }


async def post(
    scene: Scene,
    hook: dict[str, Any],
    event: str,
    content: Any,
    *,
    zone: str = "lgwan",
    late: int = 0,
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> tuple[int, Any]:
    """(status or error's number, answer). `headers` stand in for the true ones, empty ones are left out."""
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    all_ = signed(scene, hook["secret"], event, body, late=late) | {
        name.replace("_", "-"): value for name, value in {**(headers or {}), **more}.items()
    }
    async with scene.server.client(zone=zone) as client:
        answer = await client.post(
            f"/api/hooks/{hook['id']}", content=body, headers={name: value for name, value in all_.items() if value}
        )
    if answer.status_code >= 400:
        return int(answer.json()["error"]["code"]), answer.json()["error"]
    return answer.status_code, answer.json()


async def messages(scene: Scene, who: Someone | None = None) -> list[dict[str, Any]]:
    """Of the scene's room, oldest first."""
    page = (await call(scene, who or scene.owner, "GET", f"/api/rooms/{scene.room}/messages"))[1]
    found: list[dict[str, Any]] = page["messages"]
    return found
