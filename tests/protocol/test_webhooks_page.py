"""docs/webhooks.md says what works: its examples are run as they stand, against a real server."""

from __future__ import annotations

import asyncio
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat_server.config import Settings, _check
from chat_server.services.blocks import Text
from tests.support.hooks import call, made, messages
from tests.support.receiver import receiver
from tests.support.server import running_server
from tests.support.uploads import Scene
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
HOOK, SECRET = (
    "https://chat.city.example/api/hooks/06ed0000000000000000000007",
    "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
)


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


async def run(scene: Scene, hook: dict[str, Any], *command: str, source: str) -> str:
    """The example as a process, with this hook's address and secret."""
    assert HOOK in source
    assert SECRET in source
    address = f"{scene.server.base()}/api/hooks/{hook['id']}"
    process = await asyncio.create_subprocess_exec(
        *command,
        source.replace(HOOK, address).replace(SECRET, hook["secret"]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, out + err
    return out.decode()


async def test_the_example_of_the_shell_posts_a_card(scene: Scene) -> None:
    hook = await made(scene)
    assert scene.room in await run(scene, hook, "bash", "-euc", source=examples("bash")[0])
    assert (await messages(scene))[-1]["text"] == "水位警報\n警戒値を超えました。\n観測所: 緑橋\n水位: 2.4 m"


async def test_the_example_in_python_posts_words(scene: Scene) -> None:
    hook = await made(scene)
    source = examples("python")[0]
    assert len([line for line in source.splitlines() if line]) <= 15
    assert scene.room in await run(scene, hook, sys.executable, "-c", source=source)
    assert (await messages(scene))[-1]["text"] == "ポンプ場の点検が終わりました。"


async def test_the_example_that_verifies_and_the_body_that_is_shown(tmp_path: Path) -> None:
    verifying: dict[str, Any] = {}
    exec(examples("python")[1], verifying)  # noqa: S102 (the page's own words)
    async with receiver() as theirs:
        hosts = (f"127.0.0.1:{theirs.port}",)
        async with running_server(
            tmp_path, webhook_hosts=hosts, webhook_private_hosts=hosts, webhook_plain_http=True
        ) as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            owner = await world.person(org)
            scene = Scene(world, {}, org, owner, owner, owner, await world.room(owner))
            hook = await made(scene, f"http://127.0.0.1:{theirs.port}/")
            rolled = (await call(scene, owner, "POST", f"/api/hooks/{hook['id']}/secret"))[1]
            await world.post(owner, scene.room, Text("3号線を通行止めにします。"))
            one = await theirs.next()
    verified = verifying["verified"]
    assert verified(hook["secret"], one.headers, one.body)
    assert verified(rolled["secret"], one.headers, one.body)
    assert not verified(SECRET, one.headers, one.body)
    assert not verified(hook["secret"], one.headers, one.body + b" ")
    shown = msgspec.json.decode(examples("json")[0])
    assert shape(msgspec.json.decode(one.body)) == shape(shown)


def shape(value: Any) -> Any:
    return {key: shape(each) for key, each in value.items()} if isinstance(value, dict) else type(value)


async def test_the_settings_that_are_shown_are_settings() -> None:
    _check(msgspec.convert(tomllib.loads(examples("toml")[0]), Settings))
