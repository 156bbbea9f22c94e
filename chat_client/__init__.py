"""Renraku's client library. Start at `Client`; everything a program needs is named here.

It shares no code with the server: what both know stands in docs/protocol.md.
"""

from __future__ import annotations

from chat_client.bot import BotTasks
from chat_client.client import Client
from chat_client.draft import Photo, new_key
from chat_client.errors import (
    AccountDisabled,
    ClientClosed,
    ClientError,
    DeviceBarred,
    OutboxBroken,
    OutboxInUse,
    ProtocolFault,
    RenrakuError,
    ServerRefused,
    ServerUntrusted,
    SignedOut,
    SignInRequired,
    Stopped,
    UnexpectedAnswer,
    Unreachable,
)
from chat_client.models import Ack, Attachment, History, Message, Person, Room
from chat_client.session import Credentials
from chat_client.stream import Positions
from chat_client.subscription import EventStream
from chat_client.token_store import FileStore, MemoryStore, TokenStore
from chat_client.transfers import FilePlaces, Places, Progress, Refused, safe_name

__all__ = [
    "AccountDisabled",
    "Ack",
    "Attachment",
    "BotTasks",
    "Client",
    "ClientClosed",
    "ClientError",
    "Credentials",
    "DeviceBarred",
    "EventStream",
    "FilePlaces",
    "FileStore",
    "History",
    "MemoryStore",
    "Message",
    "OutboxBroken",
    "OutboxInUse",
    "Person",
    "Photo",
    "Places",
    "Positions",
    "Progress",
    "ProtocolFault",
    "Refused",
    "RenrakuError",
    "Room",
    "ServerRefused",
    "ServerUntrusted",
    "SignInRequired",
    "SignedOut",
    "Stopped",
    "TokenStore",
    "UnexpectedAnswer",
    "Unreachable",
    "new_key",
    "safe_name",
]
