"""Whatever is sent to whatever call: never a fault of the server, and never an answer that the document does not know."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_server.services import notes
from chat_server.services.blocks import Photos
from tests.support.api import Api, Operation
from tests.support.process import server_process
from tests.support.server import running_server
from tests.support.world import World
from tests.unit.photo_samples import encoded, picture

SECONDS: Final = 20
ROUNDS: Final = 3
EACH: Final = 3
PARAMETER: Final = re.compile(r"\{(\w+)\}")
OTHER_ADDRESSES: Final = frozenset(("open", "direct", "offered"))
ENDS_THE_SESSION: Final = frozenset(("sign_out",))

texts = st.text(max_size=40) | st.sampled_from(
    ["\x00", "\u202e", "' OR 1=1 --", '"; DROP TABLE rooms; --', "%", "../..", "ｶﾞ", "🗾" * 50, "a" * 5000, "-1", "1e9"]
)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
junk = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["$gt", "id", "type", "v"]), inner),
    max_leaves=8,
)


@dataclass(frozen=True)
class Target:
    """A server process, somebody who is signed in to it, and ids that exist there."""

    api: Api
    client: httpx2.Client
    ids: tuple[str, ...]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    data, scratch = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("scratch")

    async def seed() -> tuple[str, tuple[str, ...]]:
        async with running_server(data) as server:
            world = World(server)
            org = await world.organization("midorino", "みどり野市")
            owner = await world.person(org, role="organization_admin")
            member = await world.person(org)
            room = await world.room(owner, member)
            open_room = await world.room(member, kind="open")
            async with server.client(owner.token) as client:
                photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
            sent = await world.post(owner, room, Photos((photo,)))
            assert sent.id is not None
            # Neither the caller nor their device: a session that ends itself tries nothing any more.
            device = (await world.another_device(org, owner, "lgwan")).actor.device
            note = await server.app.storage.write(lambda tx: notes.create(tx, owner.actor, room, "経過", (), ()))
            return owner.token, (member.id, room, open_room, photo, sent.id, device, note.id)

    with asyncio.Runner() as runner:
        token, ids = runner.run(seed())
        process = server_process(data, scratch)
        running = runner.run(process.__aenter__())
        try:
            with httpx2.Client(
                base_url=f"http://127.0.0.1:{running.ports['lgwan']}",
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
                timeout=20,
            ) as client:
                document: Mapping[str, Any] = client.get("/api/openapi.json").json()
                yield Target(Api(httpx2.AsyncClient(), document), client, ids)
        finally:
            runner.run(process.__aexit__(None, None, None))


def values(schema: Mapping[str, Any], document: Mapping[str, Any], ids: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Values that nearly fit: the right shape, now and then with something else in it."""
    return st.one_of(_fitting(schema, document, ids), _fitting(schema, document, ids), junk)


def _fitting(schema: Mapping[str, Any], document: Mapping[str, Any], ids: tuple[str, ...]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return _fitting(found, document, ids)
    if "anyOf" in schema:
        return st.one_of([_fitting(one, document, ids) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            fields = {name: values(one, document, ids) for name, one in schema.get("properties", {}).items()}
            return st.fixed_dictionaries(
                {name: one for name, one in fields.items() if name in required},
                optional={name: one for name, one in fields.items() if name not in required},
            )
        case "array" if "prefixItems" in schema:
            return st.tuples(*(values(one, document, ids) for one in schema["prefixItems"])).map(list)
        case "array":
            return st.lists(values(schema.get("items", {}), document, ids), max_size=3)
        case "string":
            return st.sampled_from(ids) if "0-9a-v" in schema.get("pattern", "") else texts
        case "integer":
            return st.integers(0, 300)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case _:
            return junk


def ask(target: Target, operation: Operation, data: st.DataObject) -> httpx2.Response:
    document = target.api.document
    # Dots and slashes would be another address (test_http_door.py tries those); everything else is one id.
    anything = st.text(st.characters(exclude_characters="./", codec="utf-8"), min_size=1, max_size=30)
    anything = anything.filter(lambda text: text not in OTHER_ADDRESSES)
    path = PARAMETER.sub(
        lambda _: quote(data.draw(st.sampled_from(target.ids) | anything), safe=""),
        operation.path,
    )
    request: dict[str, Any] = {"params": {}}
    for parameter in operation.what.get("parameters", ()):
        if parameter["in"] == "query" and data.draw(st.booleans()):
            request["params"][parameter["name"]] = data.draw(
                values(parameter["schema"], document, target.ids).map(lambda value: str(value)[:500])
            )
    content = operation.what.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        request["json"] = data.draw(values(content["application/json"]["schema"], document, target.ids))
    elif content:
        request["content"] = data.draw(st.binary(max_size=200))
    return target.client.request(operation.method.upper(), path, **request)


def test_nothing_that_is_sent_is_a_fault_of_the_server(target: Target) -> None:
    operations = [one for name, one in target.api.operations.items() if name not in ENDS_THE_SESSION]
    answered: set[int] = set()

    def attempt(operation: Operation) -> None:
        @settings(max_examples=EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.data())
        def attempts(data: st.DataObject) -> None:
            response = ask(target, operation, data)
            assert response.status_code < 500, response.text
            answered.add(response.status_code)
            target.api.check(operation, response)

        attempts()

    # Every call has its turn in the first round; how many rounds there are depends on the machine.
    until = time.monotonic() + SECONDS
    for _ in range(ROUNDS):
        for operation in operations:
            attempt(operation)
        if time.monotonic() > until:
            break
    assert answered >= {200, 422, 404}
    assert target.client.get("/readyz").status_code == 200
