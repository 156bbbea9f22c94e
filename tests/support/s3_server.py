"""A local S3 server for the tests: a process on loopback, and hands for its door.

with s3_server() as server:
    address = server.fresh_bucket()          # for the setting `blobs`
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx2
from botocore.config import Config

from tests.support.patience import DEADLINE

KEY = "TESTKEY"
SECRET = "secret/of+the/tests"
_REPO = Path(__file__).parents[2]


@dataclass
class S3Server:
    endpoint: str
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def fresh_bucket(self, **options: str) -> str:
        """The address of a new bucket."""
        name = f"renraku-{next(self._count)}"
        self.client().create_bucket(Bucket=name)
        more = "".join(f"&{key}={value}" for key, value in options.items())
        return f"s3://{KEY}:{SECRET.replace('/', '%2F').replace('+', '%2B')}@{name}/node/files?endpoint={self.endpoint}{more}"

    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=KEY,
            aws_secret_access_key=SECRET, config=Config(proxies={}),
        )  # fmt: skip

    def keys(self, address: str) -> list[str]:
        """All objects below the address's prefix."""
        bucket, prefix = _where(address)
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", ()))

    def uploads(self, address: str) -> int:
        """Multipart uploads that were neither completed nor aborted."""
        bucket, _ = _where(address)
        return len(self.client().list_multipart_uploads(Bucket=bucket).get("Uploads") or ())

    def put(self, address: str, key: str, data: bytes) -> None:
        bucket, prefix = _where(address)
        self.client().put_object(Bucket=bucket, Key=prefix + key, Body=data)

    def get(self, address: str, key: str) -> bytes:
        bucket, prefix = _where(address)
        content: bytes = self.client().get_object(Bucket=bucket, Key=prefix + key)["Body"].read()
        return content

    def remove(self, address: str, key: str) -> None:
        bucket, prefix = _where(address)
        self.client().delete_object(Bucket=bucket, Key=prefix + key)

    def age(self, address: str, key: str, seconds: int) -> None:
        bucket, prefix = _where(address)
        self.door("age", bucket=bucket, key=prefix + key, seconds=seconds)

    def door(self, what: str, **params: str | float) -> None:
        """See `s3_main`."""
        with httpx2.Client(trust_env=False, verify=False, timeout=DEADLINE) as client:
            client.post(f"{self.endpoint}/-door-/{what}", params=params).raise_for_status()


def _where(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.hostname or "", parts.path.strip("/") + "/"


@contextmanager
def s3_server() -> Iterator[S3Server]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.s3_main"]
    with subprocess.Popen(command, cwd=_REPO, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield S3Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()
