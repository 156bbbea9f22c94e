"""The same tests of files by tus, on a server whose attachments lie in a bucket (security.md, 1, 2, 14, 29, 34, 35)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.protocol.test_http_uploads import *  # noqa: F403
from tests.support.api import code_of
from tests.support.s3_server import S3Server, s3_server
from tests.support.server import RunningServer, running_server
from tests.support.uploads import TUS, Scene, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")

# these two look into the data folder, where nothing lies now; they stand below in their form for buckets
del test_a_cancelled_upload_is_gone  # noqa: F821
del test_another_organizations_same_bytes_are_its_own  # noqa: F821


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def address(s3: S3Server) -> str:
    return s3.fresh_bucket(timeout="3")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(engine: str, address: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path_factory.mktemp("server"), blobs=address) as running:
        yield running


async def test_a_cancelled_upload_is_gone_from_the_bucket(sender: Sender, s3: S3Server, address: str) -> None:
    place = await sender.begin(10)
    assert (await sender.add(place, 0, b"12345")).status_code == 204
    assert any(key.startswith("unfinished/") for key in s3.keys(address))
    assert (await sender.client.delete(place, headers=TUS)).status_code == 204
    assert not any(place.split("/")[-1] in key for key in s3.keys(address))


async def test_the_same_bytes_of_two_organizations_are_two_objects(scene: Scene, s3: S3Server, address: str) -> None:
    data = os.urandom(5000)
    file = await scene.sent(scene.owner, data)
    theirs = await scene.upload(scene.stranger, data)
    assert await scene.item(scene.stranger, file) is None
    assert await scene.item(scene.owner, theirs) is None
    assert sum(key.endswith(hashlib.sha256(data).hexdigest()) for key in s3.keys(address)) == 2


async def test_a_bucket_that_goes_away_in_the_middle_loses_nothing_told_safe(
    sender: Sender, s3: S3Server, address: str
) -> None:
    data = os.urandom(300_000)
    place = await sender.begin(len(data))
    assert (await sender.add(place, 0, data[:100_000])).status_code == 204
    s3.door("fail", times=1000, status=500)
    try:
        refused = await sender.add(place, 100_000, data[100_000:])
        assert (refused.status_code, code_of(refused)) == (503, 8007)
    finally:
        s3.door("fail", times=0)
    state = await sender.client.head(place, headers=TUS)
    offset = int(state.headers["upload-offset"])
    assert offset >= 100_000
    assert (await sender.add(place, offset, data[offset:])).status_code in (200, 204)
    assert any(key.endswith(hashlib.sha256(data).hexdigest()) for key in s3.keys(address))
