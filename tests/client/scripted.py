"""A server that speaks docs/protocol.md from memory, and departs from it where a test says so.

server.instead("send", lambda peer, frame: None)          the next `send` is not answered
server.instead_http("POST", "/api/photos", Reply(503))    the next upload is
await server.until(lambda: len(server.frames("send")) == 2)
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.client.listening import Listening, Peer, Reply, Request
from tests.client.waiting import Recorded

Act = Callable[[Peer, dict[str, Any]], None]
ME = {
    "id": "u1",
    "name": "高橋 健",
    "reading": "たかはし けん",
    "department": "道路課",
    "post": "主事",
    "kind": "member",
}
RATE_LIMITED = {
    "code": 8005,
    "name": "rate_limited",
    "field": None,
    "params": {"retry_after": 7},
    "ja": "待",
    "en": "w",
}


def error(frame: dict[str, Any], code: int, name: str = "problem", **params: Any) -> dict[str, Any]:
    body = {"code": code, "name": name, "field": None, "params": params, "ja": "日本語", "en": "English"}
    return {"op": "error", "ref": frame["ref"], **body}


def http_error(status: int, code: int, **params: Any) -> Reply:
    body = {"code": code, "name": "problem", "field": None, "params": params, "ja": "日本語", "en": "English"}
    return Reply(status, {"error": body})


class ScriptedServer:
    """One person (u1) in some rooms. `async with` serves on `url`."""

    def __init__(self, *, context: ssl.SSLContext | None = None) -> None:
        self.listening = Listening(self._request, self._frame, self._ended)
        self.epoch = "e1"
        self.rooms: dict[str, list[dict[str, Any]]] = {"r": []}
        self.own: list[dict[str, Any]] = []
        self.resync_beyond = 1000
        self.peers: list[Peer] = []
        self.live: dict[Peer, set[str | None]] = {}
        self.received: list[tuple[Peer, dict[str, Any]]] = []
        self.requests: list[Request] = []
        self.sends: dict[str, dict[str, Any]] = {}
        self.photos: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.access: set[str] = set()
        self.refresh: dict[str, bool] = {}
        self.repeatable: dict[tuple[str, str | None], dict[str, Any]] = {}
        self.access_lives = 600_000
        self.tokens_made = 0
        self._context = context
        self._acts: defaultdict[str, deque[Act]] = defaultdict(deque)
        self._replies: defaultdict[tuple[str, str], deque[Reply | Callable[[Request], Reply]]] = defaultdict(deque)
        self._changes = Recorded()

    async def __aenter__(self) -> Self:
        await self.listening.open(self._context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.listening.close()

    @property
    def url(self) -> str:
        return f"http{'s' if self._context else ''}://127.0.0.1:{self.listening.port}"

    # For tests

    def instead(self, op: str, act: Act) -> None:
        """Once, do this with a frame of `op`."""
        self._acts[op].append(act)

    def instead_http(self, method: str, path: str, reply: Reply | Callable[[Request], Reply]) -> None:
        """Once, answer so."""
        self._replies[method, path].append(reply)

    def frames(self, op: str) -> list[dict[str, Any]]:
        """The frames of `op` so far."""
        return [frame for _, frame in self.received if frame["op"] == op]

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests so far."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until `condition` holds, looked at after every frame, request and end of a connection."""
        await self._changes.until(condition)

    def post(self, room: str, text: str, *, lost: bool = False, twice: bool = False) -> int:
        """Somebody writes. `lost`: the event reaches nobody; `twice`: it comes two times."""
        seq = self.append(room, "message", message=self.message(room, text))
        frames = [self.rooms[room][-1]] * (0 if lost else 2 if twice else 1)
        self._emit(room, frames)
        return seq

    def happen(self, kind: str, **fields: Any) -> None:
        """An event of the own stream."""
        self.own.append({"op": "me", "seq": len(self.own) + 1, "at": 1, "kind": kind, **fields})
        self._emit(None, self.own[-1:])

    def message(self, room: str, text: str) -> dict[str, Any]:
        seq = len(self.rooms[room]) + 1
        author = {"id": "u2", "name": "田中 美咲", "department": "道路課", "post": "主任", "kind": "member"}
        return {
            "id": f"{room}-{seq}", "seq": seq, "ordinal": seq, "at": seq, "kind": "text", "version": 1,
            "author": author, "text": text, "blocks": [{"type": "text", "text": text}],
        }  # fmt: skip

    def append(self, room: str, kind: str, **fields: Any) -> int:
        events = self.rooms[room]
        events.append(
            {"op": "event", "room": room, "seq": len(events) + 1, "at": 1, "kind": kind, "by": "u2", **fields}
        )
        return len(events)

    def texts(self, room: str = "r") -> list[str]:
        """What stands in the room."""
        return [event["message"]["text"] for event in self.rooms[room] if event["kind"] == "message"]

    def session(self) -> dict[str, Any]:
        """A new session's tokens, as sign-in and refresh give them."""
        self.tokens_made += 1
        access, refresh = f"access-{self.tokens_made}", f"refresh-{self.tokens_made}"
        self.access.add(access)
        self.refresh[refresh] = False
        expires = self.listening.now + self.access_lives
        return {
            "access_token": access, "access_expires": expires, "refresh_token": refresh,
            "refresh_expires": expires + 86_400_000, "device": "d1", "user": "u1",
        }  # fmt: skip

    # WebSocket

    async def _frame(self, peer: Peer, frame: dict[str, Any]) -> None:
        op = frame["op"]
        self.received.append((peer, frame))
        if self._acts[op]:
            self._acts[op].popleft()(peer, frame)
        elif op in ("event", "me"):
            raise AssertionError("a client does not send these")
        else:
            getattr(self, f"on_{op}")(peer, frame)
        await self._changes.changed()

    def _ended(self, peer: Peer) -> None:
        if peer in self.peers:
            self.peers.remove(peer)
        self.live.pop(peer, None)
        task = asyncio.ensure_future(self._changes.changed())
        task.add_done_callback(lambda _: None)

    def _emit(self, room: str | None, frames: list[dict[str, Any]]) -> None:
        for peer, live in self.live.items():
            if room in live:
                peer.send(*frames)

    def on_auth(self, peer: Peer, frame: dict[str, Any]) -> None:
        if frame["token"] not in self.access:
            peer.send(error(frame, 1004))
            peer.close(4503)
            return
        self.peers.append(peer)
        peer.send(
            {
                "op": "hello", "ref": frame["ref"], "protocol": 1, "epoch": self.epoch, "features": ["photos"],
                "time": self.listening.now, "expires": self.listening.now + self.access_lives, "zone": "internet",
                "device": "d1", "me": ME, "limits": {"frame_bytes": 65536, "unanswered": 64},
            }
        )  # fmt: skip

    def on_resume(self, peer: Peer, frame: dict[str, Any]) -> None:
        peer.send(self.resumed(peer, frame))

    def resumed(self, peer: Peer, frame: dict[str, Any]) -> dict[str, Any]:
        """The answer to `resume`; `peer` is live from here on."""
        held: dict[str | None, int] = {**frame["rooms"], None: frame["me"]}
        live = self.live[peer] = set()
        states: dict[str | None, dict[str, Any]] = {}
        for room, events in [*self.rooms.items(), (None, self.own)]:
            head = len(events)
            if frame["epoch"] not in (None, self.epoch) and room in held:
                state = "resync"
            elif room not in held or held[room] == head:
                state = "live"
            else:
                state = "replay" if head - held[room] <= self.resync_beyond else "resync"
            if state != "replay":
                live.add(room)
            states[room] = {"head": head, "state": state}
        own = states.pop(None)
        gone = {room: {"head": 0, "state": "gone"} for room in held if room not in (None, *self.rooms)}
        return {"op": "resumed", "ref": frame["ref"], "epoch": self.epoch, "me": own, "rooms": {**states, **gone}}

    def on_pull(self, peer: Peer, frame: dict[str, Any]) -> None:
        room = frame.get("room")
        events = self.own if room is None else self.rooms[room]
        upto = min(len(events), frame["after"] + frame["limit"])
        if upto == len(events):
            self.live[peer].add(room)
        page = {"events": events[frame["after"] : upto], "head": len(events), "live": room in self.live[peer]}
        peer.send({"op": "page", "ref": frame["ref"], "room": room, **page})

    def on_send(self, peer: Peer, frame: dict[str, Any]) -> None:
        peer.send({"op": "ack", "ref": frame["ref"], **self.store(frame)})

    def store(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Commit a message, once for each client_msg_id; answers the ack's fields."""
        known = self.sends.get(frame["client_msg_id"])
        if known is not None:
            assert known["blocks"] == frame["blocks"], "the same id with other content"
            return {**known["ack"], "replay": True}
        room = frame["room"]
        text = next((block["text"] for block in frame["blocks"] if block["type"] == "text"), "")
        message = self.message(room, text) | {"blocks": frame["blocks"]}
        seq = self.append(room, "message", message=message)
        ack = {"room": room, "id": message["id"], "seq": seq, "at": seq}
        self.sends[frame["client_msg_id"]] = {"ack": ack, "blocks": frame["blocks"]}
        self._emit(room, self.rooms[room][-1:])
        return ack

    def on_react(self, peer: Peer, frame: dict[str, Any]) -> None:
        peer.send({"op": "ack", "ref": frame["ref"]})

    on_pin = on_bookmark = on_redact = on_read = on_involve = on_react

    def on_look(self, peer: Peer, frame: dict[str, Any]) -> None:
        peer.send({"op": "result", "ref": frame["ref"]})

    on_ping = on_look

    def on_watch(self, peer: Peer, frame: dict[str, Any]) -> None:
        peer.send({"op": "result", "ref": frame["ref"], "presence": dict.fromkeys(frame["users"], "online")})

    def on_typing(self, peer: Peer, frame: dict[str, Any]) -> None:
        pass

    on_pong = on_close = on_typing
    """of the WebSocket, not of the protocol"""

    def on_renew(self, peer: Peer, frame: dict[str, Any]) -> None:
        assert frame["token"] in self.access
        peer.send({"op": "result", "ref": frame["ref"], "expires": self.listening.now + self.access_lives})

    # HTTP

    async def _request(self, request: Request) -> Reply:
        self.requests.append(request)
        planned = self._replies[request.method, request.path]
        if planned and request.complete:
            next_one = planned.popleft()
            reply = next_one if isinstance(next_one, Reply) else next_one(request)
        elif not request.complete:
            reply = Reply(drop=True)
        else:
            reply = self.answer(request)
        await self._changes.changed()
        return reply

    def answer(self, request: Request) -> Reply:
        """As the protocol says."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["ws"]:
                return Reply(101)
            case "POST", ["api", "sign-in"]:
                return Reply(200, {"flow": "f1", "next": ["password"], "session": None})
            case "POST", ["api", "sign-in", "password"]:
                if request.json()["password"] != "correct horse":
                    return http_error(401, 1001)
                return Reply(200, {"flow": None, "next": [], "session": self.session()})
            case "POST", ["api", "sessions", "refresh"]:
                asked = (request.json()["refresh_token"], request.headers.get("idempotency-key"))
                if self.refresh.get(asked[0], True):
                    again = self.repeatable.get(asked)
                    return Reply(200, again) if again and asked[1] else http_error(401, 1005)
                self.refresh[asked[0]] = True
                self.repeatable[asked] = self.session()
                return Reply(200, self.repeatable[asked])
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return http_error(401, 1004)
        return self._authorized(request)

    def _authorized(self, request: Request) -> Reply:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["api", "rooms"]:
                return Reply(200, [{"id": room, "kind": "private", "name": room, "head": 0} for room in self.rooms])
            case "GET", ["api", "rooms", room, "messages"]:
                messages = [event["message"] for event in self.rooms[room] if event["kind"] == "message"]
                return Reply(200, {"messages": messages, "first": True, "head": len(self.rooms[room])})
            case "POST", ["api", "rooms", room, "messages"]:
                return Reply(200, self.store({"room": room, **request.json()}))
            case "GET", ["api", "messages", message]:
                room, _, seq = message.rpartition("-")
                return Reply(200, {"room": room, "message": self.rooms[room][int(seq) - 1]["message"]})
            case "POST", ["api", "photos"]:
                key = request.headers["idempotency-key"]
                if key not in self.photos:
                    made = {"id": f"a{len(self.photos) + 1}", "kind": "photo", "name": request.query["name"]}
                    self.photos[key] = ({**made, "type": "image/jpeg", "size": len(request.body)}, request.body)
                return Reply(200, self.photos[key][0])
            case "POST", ["api", "me", "sign-out"]:
                self.access.clear()
                return Reply(204)
        return http_error(404, 2007)
