"""Authorized HTTP, repeated until it works, and the calls of it that have typed answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar
from urllib.parse import quote

from chat_client.clock import Clock
from chat_client.draft import Photo, new_key
from chat_client.errors import RenrakuError, SignInRequired, UnexpectedAnswer
from chat_client.http import Body, Http
from chat_client.models import Addresses, Attachment, History, Message, Person, Room, listed
from chat_client.retry import Cut, Random, Tries
from chat_client.session import Session
from chat_client.transfers import Transfers

Params = Mapping[str, str | int | None]
T = TypeVar("T")


class Api:
    """Calls on behalf of the signed-in person.

    Every method raises RenrakuError (final ones), UnexpectedAnswer, SignInRequired, ServerUntrusted, and Unreachable
    when `patience` (seconds, None for ever) has ended.
    """

    def __init__(self, http: Http, session: Session, *, clock: Clock, random: Random, patience: float | None) -> None:
        self._http = http
        self._session = session
        self._clock = clock
        self._random = random
        self._patience = patience
        self.transfers = Transfers(
            http, session, self.call, self.addresses, clock=clock, random=random, patience=patience
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        body: Body | None = None,
        key: str | None = None,
    ) -> Any:
        """One call and its decoded answer. An unsafe one carries an Idempotency-Key (`key`, or one made here), so
        repeating it after a lost answer does nothing twice."""
        if key is None and method != "GET":
            key = new_key()
        given = {name: value for name, value in (params or {}).items() if value is not None}
        tries = Tries(self._clock, self._random, self._patience)
        refused: str | None = None
        while True:
            try:
                token = await self._session.access_token()
                try:
                    return await self._http.request(
                        method, path, token=token, key=key, json=json, body=body, params=given or None
                    )
                except RenrakuError as error:
                    if not error.token_refused:
                        raise
                    if refused not in (None, token):
                        # The one that replaced it as well: this is not about age.
                        raise SignInRequired(str(error)) from error
                refused = token
                await self._session.refused(token)
            except (Cut, UnexpectedAnswer, RenrakuError) as error:
                await tries.wait(error)

    async def rooms(self) -> list[Room]:
        """The room list."""
        return [_read(Room.from_wire, raw) for raw in await self._list("/api/rooms")]

    async def room(self, room: str) -> Room:
        """One room."""
        return _read(Room.from_wire, await self.call("GET", f"/api/rooms/{_part(room)}"))

    async def people(self, *, department: str | None = None, q: str | None = None) -> list[Person]:
        """People of a department, or whose name, reading or login has `q` in it; in their order."""
        found = await self._list("/api/people", {"department": department, "q": q})
        return [_read(Person.from_wire, raw) for raw in found]

    async def message(self, message: str) -> tuple[str, Message]:
        """The room and the message as it is now."""
        answer = await self.call("GET", f"/api/messages/{_part(message)}")
        return _read(lambda raw: (str(raw["room"]), Message.from_wire(raw["message"])), answer)

    async def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int | None = None,
    ) -> History:
        """Messages next to a seq; the newest ones if none is given."""
        params: Params = {"before": before, "after": after, "around": around, "limit": limit}
        return _read(History.from_wire, await self.call("GET", f"/api/rooms/{_part(room)}/messages", params=params))

    async def post_message(self, room: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Send a message without a WebSocket; `fields` as of the `send` command. Answers the ack's fields."""
        path = f"/api/rooms/{_part(room)}/messages"
        answer = await self.call("POST", path, json=dict(fields), key=str(fields["client_msg_id"]))
        return _read(dict[str, Any], answer)

    async def upload(self, photo: Photo) -> Attachment:
        """The bytes of `photo`, streamed; cut off, they are sent again with the same key. Raises OSError as well."""
        body = photo.body()
        answer = await self.call("POST", "/api/photos", params={"name": photo.name}, body=body, key=photo.key)
        return _read(Attachment.from_wire, answer)

    async def addresses(self, attachments: Sequence[str]) -> list[Addresses]:
        """Where up to 100 attachments can be fetched, for some minutes."""
        answer = await self.call("POST", "/api/attachments/addresses", json={"ids": list(attachments)})
        return [_read(Addresses.from_wire, raw) for raw in _read(listed, answer)]

    async def download(self, path: str) -> bytes:
        """The bytes behind one of `Addresses.paths`."""
        tries = Tries(self._clock, self._random, self._patience)
        while True:
            try:
                async with aclosing(self._http.fetch(path)) as chunks:
                    await anext(chunks)
                    return b"".join([chunk async for chunk in chunks])
            except (Cut, UnexpectedAnswer, RenrakuError) as error:
                await tries.wait(error)

    async def _list(self, path: str, params: Params | None = None) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = await self.call("GET", path, params={**(params or {}), "cursor": cursor})
            found += _read(listed, answer)
            cursor = answer.get("next") if isinstance(answer, Mapping) else None
            if cursor is None:
                return found


def _part(value: str) -> str:
    """An id as one part of a path, whatever a caller passes: `../` must not lead elsewhere."""
    return quote(value, safe="")


def _read(reader: Callable[[Any], T], raw: Any) -> T:
    try:
        return reader(raw)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnexpectedAnswer(200) from None
