"""All four fakes at once, and the settings that lead to them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from chat_server.storage.queries.push_tokens import NewToken
from mobile_api.providers.port import Parcel, Platform
from tests.support.certificates import Authority
from tests.support.push.apns import KEY_ID, TEAM, TOPIC, FakeApns, fake_apns
from tests.support.push.door import Door
from tests.support.push.fcm import FakeFcm, fake_fcm
from tests.support.push.ntfy import FakeNtfy, fake_ntfy
from tests.support.push.parcels import parcel
from tests.support.push.script import Book, Script
from tests.support.push.web_push import Browser, FakeWebPush, fake_web_push

CONTACT = "mailto:it@city.example"


@dataclass
class Town:
    """`settings`: lines for the settings file, without `push` itself."""

    folder: Path
    authority: Authority
    apns: FakeApns
    fcm: FakeFcm
    web_push: FakeWebPush
    ntfy: FakeNtfy
    extra: dict[str, object] = field(default_factory=dict)
    phones: dict[str, Browser] = field(default_factory=dict)
    """keys of Apple's and Google's, by token"""

    def script(self, platform: Platform) -> Script:
        return self._fake(platform).script

    def book(self, platform: Platform) -> Book:
        return self._fake(platform).book

    def _fake(self, platform: Platform) -> FakeApns | FakeFcm | FakeWebPush | FakeNtfy:
        found: dict[Platform, FakeApns | FakeFcm | FakeWebPush | FakeNtfy] = {
            "apns": self.apns, "fcm": self.fcm, "web_push": self.web_push, "unified": self.ntfy,
        }  # fmt: skip
        return found[platform]

    def door(self, platform: Platform) -> Door:
        found = self._fake(platform).door
        assert found is not None
        return found

    def new_token(self, platform: Platform, device: int) -> NewToken:
        """What the device registers: one that can open what is sealed for it."""
        name = self.name(device)
        keys = self._keys(platform, name)
        found = {"web_push": self.web_push.endpoint, "unified": self.ntfy.endpoint}.get(platform, str)(name)
        return NewToken(platform, found, keys.p256dh, keys.auth)

    def _keys(self, platform: Platform, name: str) -> Browser:
        match platform:
            case "web_push":
                return self.web_push.subscribe(name)
            case "unified":
                return self.ntfy.subscribe(name)
            case _:
                return self.phones.setdefault(name, Browser())

    def name(self, device: int) -> str:
        """As the fakes know a device."""
        return f"{device:064x}"

    def parcel(self, platform: Platform, device: int = 1, **differs: object) -> Parcel:
        """For a device of its own, with something sealed for it where it has keys."""
        name = self.name(device)
        if platform == "web_push":
            sealed = self.web_push.subscribe(name).seal({"for": device})
            return parcel(platform, self.web_push.endpoint(name), **{"sealed": sealed, **differs})
        if platform == "unified":
            sealed = self.ntfy.subscribe(name).seal({"for": device})
            return parcel(platform, self.ntfy.endpoint(name), **{"sealed": sealed, **differs})
        return parcel(platform, name, **differs)

    @property
    def values(self) -> dict[str, object]:
        key, account = self.folder / "apns.p8", self.folder / "fcm.json"
        key.write_text(self.apns.key, encoding="utf-8")
        account.write_text(json.dumps(self.fcm.account), encoding="utf-8")
        return {
            "push_contact": CONTACT, "push_ca": str(self.authority.path),
            "push_apns_key": str(key), "push_apns_key_id": KEY_ID, "push_apns_team": TEAM, "push_apns_topic": TOPIC,
            "push_apns_server": f"localhost:{self.apns.port}",
            "push_fcm_account": str(account), "push_fcm_server": self.fcm.server,
            "push_web_hosts": [self.web_push.host], "push_unified_hosts": [self.ntfy.host],
            "push_private_hosts": [self.web_push.host, self.ntfy.host], **self.extra,
        }  # fmt: skip

    @property
    def settings(self) -> str:
        # JSON's strings, lists and booleans are TOML's.
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in self.values.items())


@contextlib.asynccontextmanager
async def town(folder: Path, public_key: str = "") -> AsyncIterator[Town]:
    """`public_key`: the server's for Web Push; empty: any."""
    authority = Authority(folder)
    tls = [authority.server("localhost") for _ in range(3)]
    async with (
        fake_apns(tls[0]) as apns,
        fake_fcm() as fcm,
        fake_web_push(tls[1], public_key) as web_push,
        fake_ntfy(tls[2]) as ntfy,
    ):
        yield Town(folder, authority, apns, fcm, web_push, ntfy)
        for book in (apns.book, fcm.book, web_push.book, ntfy.book):
            assert book.wrong == []
