"""Calls about notes, for tests: who asks, what, and the answer's number."""

from __future__ import annotations

from typing import Any

from tests.support.uploads import Scene
from tests.support.world import Someone
from tests.unit.photo_samples import encoded, picture

Wire = dict[str, Any]


def token(scene: Scene, who: Someone) -> str:
    """The one they have, unless the clock has gone ahead."""
    return scene.token_now(who) if scene.server.clock.ahead else who.token


async def call(scene: Scene, who: Someone, method: str, path: str, **body: Any) -> tuple[int, Any]:
    """(status or error's number, answer)"""
    async with scene.server.client(token(scene, who)) as client:
        answer = await client.request(method, path, json=body or None)
    if answer.status_code >= 400:
        return int(answer.json()["error"]["code"]), answer.json()["error"]
    return answer.status_code, answer.json() if answer.content else None


async def done(scene: Scene, who: Someone, method: str, path: str, **body: Any) -> Any:
    """The answer of what has to go well."""
    status, answer = await call(scene, who, method, path, **body)
    assert status < 300, answer
    return answer


def markdown(*texts: str) -> list[Wire]:
    return [{"type": "markdown", "text": text} for text in texts]


async def make(scene: Scene, who: Someone, *texts: str, title: str = "経過", **more: Any) -> str:
    """A note's id."""
    body = {"title": title, "blocks": markdown(*texts), **more}
    return str((await done(scene, who, "POST", f"/api/rooms/{scene.room}/notes", **body))["id"])


async def read(scene: Scene, who: Someone, note: str, number: int | None = None) -> Any:
    return await done(scene, who, "GET", f"/api/notes/{note}" + (f"/versions/{number}" if number else ""))


async def change(scene: Scene, who: Someone, note: str, version: int, *texts: str, **more: Any) -> Any:
    body = {"version": version, **({"blocks": markdown(*texts)} if texts else {}), **more}
    return await done(scene, who, "PATCH", f"/api/notes/{note}", **body)


def words(note: Wire) -> str:
    return "\n".join(block["text"] for block in note["blocks"] if block["type"] == "markdown")


async def photo(scene: Scene, who: Someone) -> str:
    """An upload that was not sent."""
    async with scene.server.client(token(scene, who)) as client:
        return str((await client.post("/api/photos", content=encoded(picture(32, 24)))).json()["id"])
