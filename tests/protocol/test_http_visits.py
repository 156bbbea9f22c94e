"""People outside hand in files by a link: by tus, without an account, and see nothing but their own (security.md, 40)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.api import code_of
from tests.support.links import Outside, Staff, outside, staff
from tests.support.uploads import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@pytest_asyncio.fixture(loop_scope="module")
async def asker(scene: Scene) -> AsyncIterator[Staff]:
    found = staff(scene, scene.owner)
    async with found.api.client:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def vendor(scene: Scene) -> AsyncIterator[Outside]:
    found = outside(scene)
    async with found.api.client:
        yield found


async def test_files_are_handed_in_and_the_receipt_says_so(asker: Staff, vendor: Outside) -> None:
    link = await asker.ask(company="青葉測量", expected="遠景10枚", kinds=["photos"], most_files=3)
    token = await asker.address(link)
    shown = (await vendor.look(token)).json()
    assert (shown["organization"], shown["asker"], shown["recipient"]) == ("みどり野市", "高橋 健", "青葉 一郎")
    assert (shown["kinds"], shown["most_files"], shown["once"], shown["pin"]) == (["photos"], 3, True, False)
    assert (await vendor.begin(token)).status_code == 201
    data = os.urandom(300_000)
    file = await vendor.place(len(data), "緑橋/遠景/橋.jpg")
    for first in range(0, len(data), 100_000):
        answer = await vendor.add(file, first, data[first : first + 100_000])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(first + 100_000))
    receipt = (await vendor.receipt()).json()
    [line] = receipt["files"]
    assert (line["name"], line["state"], line["offset"]) == ("緑橋 / 遠景 / 橋.jpg", "waiting", len(data))
    assert line["sha256"] == hashlib.sha256(data).hexdigest()
    assert receipt["delivered"] is None
    assert (await asker.now(link))["state"] == "received"
    done = (await vendor.deliver()).json()
    assert done["delivered"]
    assert done["closed"]
    assert (await vendor.deliver()).json() == done
    now = await asker.now(link)
    assert (now["state"], now["received_files"], now["received_bytes"]) == ("done", 1, len(data))
    assert now["files"][0]["sha256"] == line["sha256"]
    assert code_of(await vendor.announce(3)) == 7110
    assert code_of(await vendor.look(token)) == 7101
