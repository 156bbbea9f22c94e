"""What a bot's messages are made of besides words: cards, buttons, forms. They stand in messages as they stand here
(docs/protocol.md, "Blocks of bots"); people cannot write them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

ROWS: Final = 30
BUTTONS: Final = 10
FIELDS: Final = 20
CHOICES: Final = 50
ANSWER_CHARS: Final = 2000
"""Of one field of a form."""

Key = Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,32}$")]
"""A name within one message, for the bot; nobody sees it."""
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=4000)]
State = Literal["", "open", "done", "stopped", "urgent"]
Kind = Literal["line", "lines", "choice", "choices", "number", "date"]
Value = str | list[str]
"""Of a field: words; for `choices` a list. A number as it is written, a date as 2026-11-26."""


class Card(msgspec.Struct, tag_field="type", tag="card", frozen=True):
    """A title, words, and rows of two columns. `state` colours it."""

    title: Label
    text: Words = ""
    rows: Annotated[tuple[tuple[Label, Words], ...], msgspec.Meta(max_length=ROWS)] = ()
    state: State = ""
    v: Literal[1] = 1


class Button(msgspec.Struct, frozen=True):
    key: Key
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    style: Literal["", "primary", "danger"] = ""
    ask: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """a question before it is done; none if empty"""


class Buttons(msgspec.Struct, tag_field="type", tag="buttons", frozen=True):
    buttons: Annotated[tuple[Button, ...], msgspec.Meta(min_length=1, max_length=BUTTONS)]
    v: Literal[1] = 1


class Field(msgspec.Struct, frozen=True):
    """`line` and `lines` are words, of one line and of several. `choices`: among which, for `choice` and `choices`."""

    key: Key
    label: Label
    kind: Kind = "line"
    choices: Annotated[tuple[Label, ...], msgspec.Meta(max_length=CHOICES)] = ()
    required: bool = False


class Form(msgspec.Struct, tag_field="type", tag="form", frozen=True):
    """What everybody in the room may answer once, and change until it is not `open` any more; one in a message.

    `secret`: nobody learns who answered what, the bot included.
    """

    title: Label
    fields: Annotated[tuple[Field, ...], msgspec.Meta(min_length=1, max_length=FIELDS)]
    send: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "送信"
    open: bool = True
    secret: bool = False
    v: Literal[1] = 1


class Copy(msgspec.Struct, tag_field="type", tag="copy", frozen=True):
    """Words to take along in one tap: a URL, a number, a form of words. Clients show a button that copies them."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    v: Literal[1] = 1


BotBlock = Card | Buttons | Form | Copy
