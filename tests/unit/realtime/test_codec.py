"""Both codecs: what goes out comes in, nothing hostile is decoded, nothing crashes."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.realtime.codec import (
    CODECS,
    JSON,
    MSGPACK,
    Codec,
    Malformed,
    TooDeep,
    check_msgpack_depth,
    close_frame,
    frame,
    payloads,
)
from chat_server.services.commands import Ping, Send

ROOM = "0" * 26
BOTH = pytest.mark.parametrize("codec", list(CODECS.values()), ids=list(CODECS))

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


def depth(value: Any) -> int:
    """Levels of non-empty and empty containers that a walker enters."""
    if isinstance(value, dict):
        return (1 + max(map(depth, value.values()), default=0)) if value else 0
    if isinstance(value, list):
        return (1 + max(map(depth, value), default=0)) if value else 0
    return 0


def write(codec: Codec, wire: Any) -> bytes:
    """By another implementation than the server's."""
    return bytes(msgpack.packb(wire)) if codec is MSGPACK else json.dumps(wire).encode()


@BOTH
def test_a_command_is_read_whoever_wrote_it(codec: Codec) -> None:
    wire = {
        "op": "send", "ref": 7, "room": ROOM, "client_msg_id": "abcdefgh",
        "blocks": [{"type": "text", "text": "倒木です"}], "from_a_newer_client": {"x": [1]},
    }  # fmt: skip
    command = codec.decode(write(codec, wire))
    assert isinstance(command, Send)
    assert (command.ref, command.room, command.blocks[0].text) == (7, ROOM, "倒木です")  # type: ignore[index,union-attr]


@BOTH
@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"op": "launch"}, "op", 2004),
        ({"room": "../etc"}, "room", 2001),
        ({"room": 5}, "room", 2001),
        ({"client_msg_id": "x"}, "client_msg_id", 2001),
        ({"ref": -1}, "ref", 2001),
        ({"blocks": [{"type": "text", "text": {"$gt": ""}}]}, "blocks[0].text", 2001),
        ({"blocks": [{"type": "iframe"}]}, "blocks[0].type", 2001),
    ],
)
def test_a_wrong_field_is_named(codec: Codec, change: dict[str, Any], field: str, code: int) -> None:
    wire = {
        "op": "send",
        "ref": 7,
        "room": ROOM,
        "client_msg_id": "abcdefgh",
        "blocks": [{"type": "text", "text": "a"}],
    }
    with pytest.raises(Problem) as caught:
        codec.decode(write(codec, wire | change))
    assert (caught.value.field, caught.value.fault.code) == (field, code)


@BOTH
def test_a_missing_field_is_named(codec: Codec) -> None:
    with pytest.raises(Problem) as caught:
        codec.decode(write(codec, {"op": "read", "ref": 1, "room": ROOM}))
    assert caught.value.field == "upto"


@BOTH
def test_the_ref_of_a_refused_command_is_found(codec: Codec) -> None:
    assert codec.ref_of(write(codec, {"op": "launch", "ref": 9})) == 9
    assert codec.ref_of(write(codec, {"op": "launch", "ref": True})) is None
    assert codec.ref_of(write(codec, [1])) is None


@BOTH
def test_depth_is_limited_before_decoding(codec: Codec) -> None:
    wire: Any = {"op": "ping", "ref": 1, "deep": None}
    nest: Any = 1
    for _ in range(limits.FRAME_DEPTH - 1):
        nest = [nest]
    assert isinstance(codec.decode(write(codec, wire | {"deep": nest})), Ping)
    with pytest.raises(TooDeep):
        codec.decode(write(codec, wire | {"deep": [nest]}))


def test_nested_without_end_is_refused_at_once() -> None:
    with pytest.raises(TooDeep):
        MSGPACK.decode(b"\x91" * limits.FRAME_BYTES)
    with pytest.raises(TooDeep):
        JSON.decode(b"[" * limits.FRAME_BYTES)


@pytest.mark.parametrize(
    "hostile",
    [
        b"\xdd\xff\xff\xff\xff",  # an array of 2**32 - 1 elements
        b"\xdf\xff\xff\xff\xff",  # a map as large
        b"\xc6\xff\xff\xff\xff",  # bytes
        b"\xdb\xff\xff\xff\xff",  # a string
        b"\xc9\xff\xff\xff\xff\x01",  # an extension
        b"\xc1",  # never used
        b"",
        b"\x81",
        b"\x80\x80",  # two values
    ],
)
def test_lengths_beyond_the_frame_are_refused(hostile: bytes) -> None:
    with pytest.raises(Malformed):
        MSGPACK.decode(hostile)


@given(st.binary(max_size=300))
@settings(max_examples=2000, deadline=None)
def test_no_bytes_crash_the_msgpack_codec(payload: bytes) -> None:
    with contextlib.suppress(Malformed, TooDeep, Problem):
        MSGPACK.decode(payload)
    MSGPACK.ref_of(payload)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=2000, deadline=None)
def test_no_bytes_crash_the_json_codec(payload: bytes) -> None:
    with contextlib.suppress(Malformed, TooDeep, Problem):
        JSON.decode(payload)
    JSON.ref_of(payload)


@given(values)
@settings(max_examples=500, deadline=None)
def test_the_walker_agrees_with_msgpack_about_depth(value: Any) -> None:
    payload = bytes(msgpack.packb(value))
    if depth(value) > limits.FRAME_DEPTH:
        with pytest.raises(TooDeep):
            check_msgpack_depth(payload)
    else:
        check_msgpack_depth(payload)


@given(values, st.data())
@settings(max_examples=300, deadline=None)
def test_a_cut_off_value_is_malformed(value: Any, data: st.DataObject) -> None:
    payload = bytes(msgpack.packb(value))
    if len(payload) > 1:
        cut = data.draw(st.integers(1, len(payload) - 1))
        with pytest.raises((Malformed, TooDeep)):
            check_msgpack_depth(payload[:cut])


@given(st.lists(st.binary(max_size=70_000), max_size=3))
@settings(max_examples=50, deadline=None)
def test_joined_frames_come_apart_again(bodies: list[bytes]) -> None:
    joined = b"".join(frame(body, 2) for body in bodies)
    assert payloads(joined) == [(2, body) for body in bodies]


def test_a_close_frame_fits_a_control_frame() -> None:
    assert len(close_frame(4001, "あ" * 200)) <= 127
