"""What a push says: to whoever carries it nothing, to the device what is allowed, and never more than fits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import http_ece
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.domain import limits
from chat_server.domain.policy import Policy
from chat_server.services.push_loading import Loaded, PushToken, Shown
from mobile_api.ledger.port import BADGE, CLEAR, RING, Taken
from mobile_api.push.lanes import lane_of, platform_of, silent_badge, silent_clear
from mobile_api.push.payload import CannotSeal, collapse_of, parcel, seal
from tests.support.push.phones import Phone

ROOM = "06ed0000000000000000000007"
MESSAGE = Shown(
    "06ed0000000000000000000031", ROOM, "private", "道路課 現場連絡", 1, 12, "高橋 健", "倒木です", None, None
)
TAKEN = Taken(1, "06ed0000000000000000000001", 5, 9, 7, 31, 12, "fcm", RING, urgent=False, expires=1, tries=1)
PHONE = Phone("token")
SECRET = b"s" * 32
BROWSER = "web_push:fcm.googleapis.com"


def token(language: str = "ja", phone: Phone = PHONE) -> PushToken:
    new = phone.new_token(language)
    return PushToken(3, "p", 1, 5, 9, "d", "fcm", new.token, new.p256dh, new.auth, "", language, 0)


def loaded(content: str = "none", message: Shown = MESSAGE, theirs: str | None = None) -> Loaded:
    policies = {1: Policy(push_content=content), 2: Policy(push_content=theirs or content)}  # type: ignore[arg-type]
    return Loaded({9: token()}, {}, {5: 3}, {31: message}, {7: ROOM}, policies)


def said(taken: Taken = TAKEN, known: Loaded | None = None, origin: str = "", **of_token: Any) -> dict[str, Any]:
    made = parcel(taken, token(**of_token), known or loaded(), SECRET, origin)
    assert len(made.sealed) <= limits.PUSH_BYTES
    return PHONE.read({"sealed": made.sealed.hex()})


@pytest.mark.parametrize(
    ("content", "kind", "title", "body"),
    [
        ("none", "private", "連絡", "新しいメッセージがあります"),
        ("room", "private", "道路課 現場連絡", "新しいメッセージがあります"),
        ("sender_and_room", "private", "高橋 健(道路課 現場連絡)", "新しいメッセージがあります"),
        ("all", "private", "高橋 健(道路課 現場連絡)", "倒木です"),
        ("room", "direct", "連絡", "新しいメッセージがあります"),
        ("sender_and_room", "direct", "高橋 健", "新しいメッセージがあります"),
    ],
)
def test_as_much_is_shown_as_is_allowed(content: str, kind: str, title: str, body: str) -> None:
    found = said(known=loaded(content, MESSAGE._replace(room_kind=kind)))
    assert (found["title"], found["body"]) == (title, body)


@pytest.mark.parametrize(("own", "theirs"), [("none", "all"), ("all", "none"), ("room", "all")])
def test_of_two_organizations_the_stricter_rule_holds(own: str, theirs: str) -> None:
    found = said(known=loaded(own, MESSAGE._replace(org_id=2), theirs))
    assert "倒木" not in found["body"]
    assert ("道路課" in found["title"]) == (own == "room")


def test_in_english_where_the_device_speaks_english() -> None:
    made = parcel(TAKEN, token("en"), loaded(), SECRET, "")
    assert made.text == "You have a new message"
    assert parcel(TAKEN, token("fr"), loaded(), SECRET, "").text == "新しいメッセージがあります"


def test_a_device_without_a_key_is_told_the_fixed_text_alone() -> None:
    made = parcel(TAKEN, token(phone=Phone("t", key=None)), loaded("all"), SECRET, "")
    assert (made.sealed, made.text, made.badge) == (b"", "新しいメッセージがあります", 3)


def test_a_browser_is_told_where_a_tap_leads_in_the_declarative_form() -> None:
    found = said(replace(TAKEN, lane=BROWSER), loaded("all"), "https://chat.city.example")
    assert found["web_push"] == 8030
    assert found["notification"]["navigate"] == f"https://chat.city.example/#/rooms/{ROOM}?message=12"
    assert found["notification"]["app_badge"] == "3"
    assert "web_push" not in said(replace(TAKEN, lane=BROWSER))


def test_what_clears_is_silent_and_names_the_room_to_the_device_alone() -> None:
    made = parcel(replace(TAKEN, kind=CLEAR), token(), loaded("all"), SECRET, "")
    assert (made.clears, made.text) == (True, "")
    found = PHONE.read({"sealed": made.sealed.hex()})
    assert found == {
        "v": 1, "id": TAKEN.public_id, "kind": "clear", "tag": made.collapse, "badge": 3, "room": ROOM, "upto": 12,
    }  # fmt: skip
    assert said(replace(TAKEN, kind=BADGE)).keys() == {"v", "id", "kind", "tag", "badge"}


def test_the_length_tells_nothing_of_the_words() -> None:
    lengths = {
        len(parcel(TAKEN, token(), loaded("all", MESSAGE._replace(text=words)), SECRET, "").sealed)
        for words in ("", "了解", "倒木です。" * 8)
    }
    assert len(lengths) == 1


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=100), st.booleans())
def test_whatever_is_said_it_fits(words: str, author: str, room: str, browser: bool) -> None:
    clean = [one.encode("utf-8", "ignore").decode() for one in (words, author, room)]
    known = loaded("all", MESSAGE._replace(text=clean[0], author=clean[1], room_name=clean[2]))
    try:
        found = said(replace(TAKEN, lane=BROWSER if browser else "fcm"), known, "https://chat.city.example")
    except CannotSeal:
        # only where a name is all control characters, which no name of ours has
        assert len(json.dumps(clean[1:])) > 500
        return
    assert found["seq"] == 12


def test_worst_words_are_shortened_not_refused() -> None:
    wide = "𠮷" * 300
    known = loaded("all", MESSAGE._replace(text=wide, author=wide[:80], room_name=wide[:80]))
    found = said(replace(TAKEN, lane=BROWSER), known, "https://chat.city.example")
    assert found["body"]


def test_the_collapse_key_is_one_a_room_and_device_and_tells_neither() -> None:
    keys = {collapse_of(SECRET, device, room) for device in range(1, 30) for room in range(1, 30)}
    assert len(keys) == 29 * 29
    for key in keys:
        assert len(key) <= 32
        assert set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert collapse_of(SECRET, 1, 1) == collapse_of(SECRET, 1, 1) != collapse_of(b"t" * 32, 1, 1)


@pytest.mark.parametrize("p256dh", ["", "AAAA", "B" * 87, "!!!!", "あ"])
def test_a_key_that_is_none_is_said_so(p256dh: str) -> None:
    with pytest.raises(CannotSeal):
        seal(b"x", p256dh, "AAAAAAAAAAAAAAAAAAAAAA")


def test_two_seals_of_the_same_are_not_the_same() -> None:
    new = PHONE.new_token()
    one, two = seal(b"x", new.p256dh, new.auth), seal(b"x", new.p256dh, new.auth)
    assert one != two
    for sealed in (one, two):
        assert http_ece.decrypt(sealed, private_key=PHONE.key, auth_secret=PHONE.auth, version="aes128gcm") == b"x"


def test_a_lane_is_the_platform_and_the_host_of_an_address() -> None:
    assert lane_of("apns", "a" * 64) == "apns"
    assert lane_of("web_push", "https://web.push.apple.com/Qx") == "web_push:web.push.apple.com"
    assert platform_of("web_push:web.push.apple.com") == "web_push"
    assert platform_of("pigeon") is None
    assert not silent_badge("web_push:fcm.googleapis.com")
    assert silent_badge("apns")
    assert silent_clear("web_push:fcm.googleapis.com")
    assert silent_clear("web_push:push.apple.com.example")
    assert not silent_clear("web_push:web.push.apple.com")
