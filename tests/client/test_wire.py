"""Frames in both codecs, and what is not one."""

from __future__ import annotations

import math
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_client.parsing import me_event, room_event, transient_event
from chat_client.wire import JSON, MSGPACK, Codec, WireError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
frames = st.dictionaries(st.text(), values, max_size=6)


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
@settings(max_examples=150)
@given(frame=frames)
def test_what_is_encoded_is_decoded(codec: Codec, frame: dict[str, Any]) -> None:
    assert codec.decode(codec.encode(frame)) == frame


@settings(max_examples=500)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_wire_error(data: bytes) -> None:
    for codec, given_data in ((MSGPACK, data), (JSON, data.decode("latin-1"))):
        try:
            frame = codec.decode(given_data)
        except WireError:
            continue
        assert all(isinstance(key, str) for key in frame)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x93\x01\x02\x03",
        b"\x81\x01\x02",
        b"\x81\xa1",
        b"\x81\xa1a\x01\x00",
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xa1a" + b"\x91" * 100_000,
        b"\x81\xa1a\xc6\xff\xff\xff\xff",
        msgpack.packb({"t": msgpack.ExtType(1, b"x")}),
        b"\x81\xa1a\xa1\xff",
        b"\x81\xa1a\x81\x01\x02",
    ],
)
def test_bytes_that_are_no_frame(data: bytes) -> None:
    with pytest.raises(WireError):
        MSGPACK.decode(data)


@pytest.mark.parametrize("data", ["", "null", "[]", "{", '{"a": NaN}', '{"a": Infinity}', '{"a":' * 100_000, "{} {}"])
def test_text_that_is_no_frame(data: str) -> None:
    with pytest.raises(WireError):
        JSON.decode(data)


def test_the_other_kind_of_websocket_message_is_refused() -> None:
    with pytest.raises(WireError):
        MSGPACK.decode("{}")
    with pytest.raises(WireError):
        JSON.decode(b"{}")


def test_json_is_compact_and_readable() -> None:
    assert JSON.encode({"text": "道路", "n": [1, 2]}) == '{"text":"道路","n":[1,2]}'
    with pytest.raises(ValueError):
        JSON.encode({"n": math.nan})


@settings(max_examples=200)
@given(
    kind=st.sampled_from(
        ["message", "edit", "redaction", "reaction", "pin", "membership", "room", "attachment", "note", "stub", "read",
         "room_gained", "involvement", "bookmark", "directory", "typing", "receipts", "presence", "other"]
    ),
    fields=st.dictionaries(
        st.sampled_from(["at", "by", "message", "target", "id", "how", "user", "room", "upto", "attachment", "room_info"]),
        values | frames,
    ),
)  # fmt: skip
def test_any_fields_are_an_event_and_never_an_error(kind: str, fields: dict[str, Any]) -> None:
    assert room_event("r", 5, {"op": "event", "kind": kind, **fields}).seq == 5
    assert me_event(6, {"op": "me", "kind": kind, **fields}).seq == 6
    transient_event({"op": kind, **fields})
