"""From somebody outside to the desk on a server whose files lie in a bucket: a stranger's bytes lie there sealed (security.md, 29)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.protocol.test_http_handing_in import (  # noqa: F401 (fixtures, and the same test on another store)
    asker,
    peer,
    said,
    test_an_original_reaches_the_desk_by_a_second_persons_approval,
    test_what_is_handed_in_is_at_the_desk_rebuilt,
    vendor,
)
from tests.support.links import Outside, Staff
from tests.support.peer import Peer
from tests.support.s3_server import S3Server, s3_server
from tests.support.server import RunningServer, running_server
from tests.support.uploads import checksum
from tests.unit.document_samples import sample

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_a_strangers_bytes_go_on_over_a_bucket_that_failed_and_lie_there_sealed(
    peer: Peer,  # noqa: F811
    asker: Staff,  # noqa: F811
    vendor: Outside,  # noqa: F811
    s3: S3Server,
    address: str,
) -> None:
    data = sample("SimpleMacro.xlsm").read_bytes()
    assert b"vbaProject" in data
    before = set(s3.keys(address))
    await vendor.begin(await asker.given())
    file = await vendor.place(len(data), "数量表.xlsm")
    half = len(data) // 2
    assert (await vendor.add(file, 0, data[:half], Upload_Checksum=checksum(data[:half]))).status_code == 204
    s3.door("fail", times=1000, status=500)
    try:
        assert (await vendor.add(file, half, data[half:])).status_code == 503
    finally:
        s3.door("fail", times=0)
    offset = int((await vendor.offset(file)).headers["upload-offset"])
    assert offset >= half
    assert (await vendor.add(file, offset, data[offset:])).status_code == 204
    while not (await said(peer)).get("attachments"):
        pass
    lying = {key: s3.get(address, key) for key in set(s3.keys(address)) - before}
    assert any(content.startswith(b"age-encryption.org") for content in lying.values()), "the original, sealed"
    assert [key for key, content in lying.items() if b"vbaProject" in content] == []
