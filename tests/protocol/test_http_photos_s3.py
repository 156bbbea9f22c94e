"""The same tests of photos, on a server whose attachments lie in a bucket (security.md, 1, 2, 14, 29, 34, 35)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.protocol.test_http_photos import *  # noqa: F403
from tests.protocol.test_http_photos import PHOTO, Scene
from tests.support.api import code_of
from tests.support.s3_server import S3Server, s3_server
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

# these two look into the data folder, where nothing lies now; what they try is tried below and in tests/faults/test_bucket.py
del test_who_takes_nothing_costs_little_and_who_is_gone_costs_nothing  # noqa: F821
del test_an_upload_that_is_cut_leaves_nothing  # noqa: F821


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


async def test_nothing_stays_in_the_data_folder(scene: Scene, s3: S3Server, address: str) -> None:
    folder = scene.server.app.settings.folder
    assert not (folder / "blobs").exists()
    assert list((folder / "arriving").iterdir()) == []
    assert any(key.startswith(f"{scene.org.id}/") for key in s3.keys(address))


async def test_while_the_bucket_is_away_uploads_wait_and_messages_go_on(scene: Scene, s3: S3Server) -> None:
    address = await scene.address(scene.member)
    s3.door("fail", times=1000, status=500)
    api = scene.api(scene.owner)
    try:
        async with api.client:
            refused = await api.call("upload_photo", content=PHOTO, headers={"Idempotency-Key": "bucket-away"})
            assert (refused.status_code, code_of(refused)) == (503, 8007)
            assert refused.json()["error"]["params"]["retry_after"] > 0
            gone = await scene.get(address)
            assert (gone.status_code, code_of(gone)) == (503, 8007)
            body = {"client_msg_id": "bucket-is-away", "blocks": [{"type": "text", "text": "届きますか"}]}
            assert (await api.call("send_message", {"room": scene.room}, json=body)).status_code == 200
            s3.door("fail", times=0)
            again = await api.call("upload_photo", content=PHOTO, headers={"Idempotency-Key": "bucket-away"})
            assert again.status_code == 200
    finally:
        s3.door("fail", times=0)
    assert (await scene.get(address)).status_code == 200
    assert not scene.server.app.fuse.blown


async def test_what_the_bucket_lost_is_an_error_and_no_other_bytes(scene: Scene, s3: S3Server, address: str) -> None:
    there = await scene.address(scene.member)
    for key in s3.keys(address):
        if key.startswith(f"{scene.org.id}/"):
            s3.remove(address, key)
    assert (await scene.get(there)).status_code == 500
