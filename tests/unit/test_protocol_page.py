"""docs/protocol.md says what the code does: maps, commands, calls, codes. Its numbers are held against the limits in
test_protocol_numbers.py, and what is really sent against its tables in tests/protocol/test_protocol_page.py."""

from __future__ import annotations

import re
import typing
from typing import Any

import msgspec
import pytest

from chat_server.domain import closing
from chat_server.domain.errors import FAULTS
from chat_server.domain.events import EventKind, OwnKind
from chat_server.http import link_shapes, shapes
from chat_server.http import notes as http_notes
from chat_server.http import visits as http_visits
from chat_server.http.calls import AnyCall
from chat_server.realtime.dispatch import FEATURES
from chat_server.services import blocks, note_blocks, sessions
from chat_server.services.commands import COMMANDS
from tests.support.calls import CALLS
from tests.support.page import PROTOCOL, Shape, map_at, section, shape, table


def declared(struct: type[msgspec.Struct]) -> Shape:
    return {field.encode_name: inside(field.type) for field in msgspec.structs.fields(struct)}


def inside(kind: Any) -> Shape:
    """The keys of the map that `kind` is, may be or holds; of blocks, which have a table, none."""
    if kind in (*typing.get_args(blocks.Block), *typing.get_args(note_blocks.NoteBlock), http_notes.TakenEntry):
        return {}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return declared(kind)
    return next((found for one in typing.get_args(kind) if (found := inside(one))), {})


def the_same(page: Shape, code: Shape) -> None:
    """The same keys; maps inside are compared where the page spells them out."""
    assert set(page) == set(code)
    for key, below in page.items():
        if below and code[key]:
            the_same(below, code[key])


@pytest.mark.parametrize(
    ("words", "struct"),
    [
        ("\nPerson:", shapes.Person),
        ("\nAttachment (", shapes.Attachment),
        ("\nRoom:", shapes.Room),
        ("\nNote:", http_notes.Note),
        ("\nLink:", link_shapes.UploadLink),
        ('"session": {', sessions.Session),
        ("HTTP: status as in the table,", shapes.Refusal),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_map_has_the_fields_of_the_page(words: str, struct: type[msgspec.Struct]) -> None:
    the_same(map_at(words), declared(struct))


def test_a_receipt_has_the_fields_of_the_page() -> None:
    own = declared(http_visits.Receipt)
    for shown in declared(http_visits.LinkShown):
        del own[shown]
    the_same(map_at('{"expires", "delivered"'), own)


def test_a_message_has_the_fields_of_the_page() -> None:
    living = declared(shapes.Message)
    del living["redacted"]
    the_same(shape(section("Message")), living)


def test_blocks_have_the_fields_of_the_page() -> None:
    rows = table("type")
    for block in typing.get_args(blocks.Block):
        told = re.match(r"`(\w+)`", rows[block.__struct_config__.tag])
        assert told
        assert {told[1], "v"} == set(block.__struct_fields__)


def test_blocks_of_notes_have_the_fields_of_the_page() -> None:
    rows = table("note block")
    for block in (note_blocks.Markdown, http_notes.TakenEntry, note_blocks.Pair):
        row = re.sub(r": [^`]*", " ", rows[str(block.__struct_config__.tag)])
        assert {*re.findall(r"`(\w+)`", row), "v"} == set(block.__struct_fields__)


def test_the_kinds_of_events_are_those_of_the_page() -> None:
    """mypy sees to it that the services emit no others."""
    assert set(table("room event `kind`")) == {*typing.get_args(EventKind), "stub"}
    assert set(table("`me` event `kind`")) == set(typing.get_args(OwnKind))


def test_features_are_those_of_the_page() -> None:
    told = PROTOCOL.split("`features` of this version:")[1].partition(". ")[0]
    assert re.findall(r"`(\w+)`", told) == list(FEATURES)


def test_close_codes_are_those_of_the_page() -> None:
    rows = {int(code): rest.split(" | ") for code, rest in table("close code").items()}
    assert {code: name for code, (name, _) in rows.items()} == closing.NAMES
    comes_back = {code for code in rows if closing.reconnects(code)}
    assert comes_back == {code for code in rows if 4000 <= code <= 4499}, "the range says it"


def test_errors_on_the_page_have_these_numbers() -> None:
    told = re.findall(r"\berror (\d{4})", PROTOCOL)
    assert told
    assert {int(code) for code in told} <= set(FAULTS)


def test_commands_are_those_of_the_page() -> None:
    listed = {name for cell in table("op") for name in re.findall(r"\w+", cell)}
    shown = set(re.findall(r'^→ \{"op": "(\w+)"', PROTOCOL, re.MULTILINE))
    assert listed | shown == {command.__struct_config__.tag for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__struct_config__.tag)
def test_a_command_has_the_fields_of_the_page(command: type[msgspec.Struct]) -> None:
    tag = command.__struct_config__.tag
    row = table("op").get(str(tag), "").partition(" | ")[0]
    example = re.search(rf'(?<!← )(\{{"op": "{tag}".*\}})', PROTOCOL)
    told = set(re.findall(r"(?:^|[,)] |\bor )`(\w+)`", row)) | set(shape(example[1]) if example else ())
    assert told - {"op", "ref"} == set(command.__struct_fields__) - {"ref"}


def test_calls_are_those_of_the_page() -> None:
    assert sorted(table("call")) == sorted(f"{call.method} {call.path}" for call in CALLS)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_call_takes_and_gives_what_the_page_says(call: AnyCall) -> None:
    row = table("call")[f"{call.method} {call.path}"]
    asked, _, answer = row.partition("→") if call.body else ("", "", row)
    if call.body is not None:
        the_same(shape(asked), declared(call.body))
    for name in call.query.__struct_fields__ if call.query else ():
        assert name in ("cursor", "limit") or f"`?{name}=" in row, name
    spelled = re.search(r"`(\[?)\{", answer)
    if spelled:
        given = inside(call.answer)
        given.pop("upto", None)  # an `Ack` over HTTP is one of sending, never one of reading
        the_same(shape(answer[spelled.start() :]), given["items"] if spelled[1] else given)


def test_lists_are_paged_as_the_page_says() -> None:
    paged, whole = (
        {f"/api/{path}" for path in re.findall(r"`(?:GET )?/api/([^`]+)`", PROTOCOL.split(mark)[1].partition(". ")[0])}
        for mark in ("**Paged**", "**Whole**")
    )
    lists = {call.path: call.query for call in CALLS if call.safe and {"items", "next"} <= set(inside(call.answer))}
    assert paged == {path for path, query in lists.items() if query and {"cursor", "limit"} <= set(declared(query))}
    assert whole == set(lists) - paged


def test_the_calls_without_a_key_are_those_of_the_page() -> None:
    told = PROTOCOL.split("The exceptions:")[1].partition("\n\nLists")[0]
    rules = [line.split("ignore")[0] for line in told.splitlines() if "ignore" in line]
    ignoring = {call for rule in rules for call in re.findall(r"`((?:POST|PATCH|DELETE) [^`:]+)`", rule)}
    assert ignoring == {f"{call.method} {call.path}" for call in CALLS if not call.safe and not call.keyed}
