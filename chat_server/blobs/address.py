"""The setting `blobs`: nothing, a folder, or a bucket of S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEME: Final = "s3://"
_OPTIONS: Final = frozenset({"endpoint", "region", "credentials", "timeout", "addressing"})


class BadAddress(Exception):
    """The address cannot be used; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class S3Address:
    """`s3://[key:secret@]bucket[/prefix][?endpoint=&region=&credentials=&timeout=&addressing=]`"""

    bucket: str
    prefix: str
    endpoint: str
    """URL of the server; empty: Amazon's, by the region"""
    region: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    """both empty: from the environment (AWS_ACCESS_KEY_ID and so on) or the machine's role"""
    timeout: int
    """seconds, for one request"""
    virtual_hosted: bool
    """whether the bucket stands in the host's name instead of the path"""


def parse_s3(address: str) -> S3Address:
    """Raises `BadAddress`. Reads the file that `credentials` names: access key and secret, one a line."""
    try:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        key, secret = unquote(parts.username or ""), unquote(parts.password or "")
        bucket = parts.hostname or ""
    except ValueError:
        raise BadAddress("it is not an address such as s3://bucket/prefix?endpoint=https://s3.example") from None
    if unknown := options.keys() - _OPTIONS:
        raise BadAddress(f"“{min(unknown)}” is none of its options ({', '.join(sorted(_OPTIONS))})")
    if not bucket or parts.fragment:
        raise BadAddress("it must name the bucket, as in s3://bucket/prefix")
    endpoint = options.get("endpoint", "")
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise BadAddress("endpoint must begin with https:// (or http://)")
    timeout = options.get("timeout", "30")
    if not (timeout.isascii() and timeout.isdigit() and 1 <= int(timeout) <= 300):
        raise BadAddress("timeout must be a number of seconds from 1 to 300")
    addressing = options.get("addressing", "path" if endpoint else "virtual")
    if addressing not in ("path", "virtual"):
        raise BadAddress("addressing must be path or virtual")
    if file := options.get("credentials"):
        key, secret = _read(Path(file))
    if bool(key) != bool(secret):
        raise BadAddress("a key needs its secret, as in s3://key:secret@bucket")
    return S3Address(
        bucket=bucket,
        prefix=unquote(parts.path).strip("/"),
        endpoint=endpoint.rstrip("/"),
        region=options.get("region", "us-east-1"),
        key=key,
        secret=secret,
        timeout=int(timeout),
        virtual_hosted=addressing == "virtual",
    )


def _read(path: Path) -> tuple[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        raise BadAddress(f"the credentials in {path} cannot be read") from None
    if len(lines) != 2:
        raise BadAddress(f"{path} must hold two lines: the access key and its secret")
    return lines[0], lines[1]
