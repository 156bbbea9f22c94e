"""`renraku config check` writes where the setting `blobs` says; `renraku config show` shows no secret of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_server.blobs.address import BadAddress, parse_s3
from tests.support.s3_server import KEY, SECRET, S3Server, s3_server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def renraku(*words: str, data: Path, blobs: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RENRAKU_DATA": str(data), "RENRAKU_PORT": "0", "RENRAKU_BLOBS": blobs, **more}
    return subprocess.run(
        [sys.executable, "-m", "chat_server", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


def test_a_bucket_is_tried_and_left_as_it_was(s3: S3Server, tmp_path: Path) -> None:
    address = s3.fresh_bucket(timeout="2")
    done = renraku("config", "check", data=tmp_path / "data", blobs=address)
    assert done.returncode == 0, done.stderr
    assert s3.keys(address) == []
    s3.door("fail", times=1000, status=403)
    refused = renraku("config", "check", data=tmp_path / "data", blobs=address)
    s3.door("fail", times=0)
    assert refused.returncode == 1
    assert "blobs: the bucket refuses" in refused.stderr
    shown = renraku("config", "show", data=tmp_path / "data", blobs=address)
    assert f"{KEY}@renraku" in shown.stdout
    for each in (done, refused, shown):
        for secret in (SECRET, SECRET.replace("/", "%2F").replace("+", "%2B")):
            assert secret not in each.stdout + each.stderr


def test_credentials_come_from_a_file_or_the_environment(s3: S3Server, tmp_path: Path) -> None:
    name = s3.fresh_bucket().partition("@")[2]
    (tmp_path / "key").write_text(f"{KEY}\n{SECRET}\n", encoding="utf-8")
    by_file = parse_s3(f"s3://{name}&credentials={tmp_path / 'key'}")
    assert (by_file.key, by_file.secret) == (KEY, SECRET)
    assert SECRET not in repr(by_file)
    given = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    assert renraku("config", "check", data=tmp_path / "data", blobs=f"s3://{name}", **given).returncode == 0


def test_a_folder_that_cannot_be_written_is_refused_by_check_and_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (("config", "check"), ("serve",)):
        done = renraku(*words, data=tmp_path / "data", blobs=str(tmp_path / "file" / "blobs"))
        assert done.returncode == 1
        assert "blobs: " in done.stderr
        assert "Traceback" not in done.stderr
    good = tmp_path / "shared"
    assert renraku("config", "check", data=tmp_path / "data", blobs=str(good)).returncode == 0
    assert not good.exists()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("s3://", "bucket"),
        ("s3://bucket?endpoint=ftp://x", "endpoint"),
        ("s3://bucket?colour=red", "colour"),
        ("s3://bucket?timeout=0", "timeout"),
        ("s3://key@bucket", "secret"),
        ("s3://bucket?credentials=/nowhere/key", "cannot be read"),
        ("s3://bucket?addressing=odd", "addressing"),
        ("s3://key:hushhush@bucket?endpoint=ftp://x", "endpoint"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_without_its_secret(address: str, why: str) -> None:
    with pytest.raises(BadAddress, match=why) as bad:
        parse_s3(address)
    assert "hushhush" not in str(bad.value)
