"""A real database in a folder of its own, a clock that tests move, and one invented town."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.domain.events import UserEvent
from chat_server.domain.ids import new_id
from chat_server.passwords import Argon2Passwords
from chat_server.ports import AnyStorage, Tx
from chat_server.services import keys as key_service
from chat_server.services.actors import load_actor
from chat_server.services.keys import Keys
from chat_server.services.sessions import Session
from chat_server.services.sign_in import PasswordStep, SignIn
from chat_server.services.tokens import Tokens
from chat_server.storage.queries import organizations, people
from chat_server.storage.queries.people import NewUser
from tests.support.engines import open_storage
from tests.support.passwords import CHEAP

ZONE: Final = "lgwan"
ADDRESS: Final = "10.1.2.3"
PASSWORD: Final = "みどりの町の長い合言葉"
NOW: Final = 1_790_000_000_000


@dataclass
class MovedClock:
    """Stands still until a test moves it."""

    at: int = NOW

    def now(self) -> int:
        return self.at


@dataclass
class Town:
    """Everything that sign-in needs, and what it emitted."""

    storage: AnyStorage
    clock: MovedClock
    keys: Keys
    tokens: Tokens
    passwords: Argon2Passwords
    sign_in: SignIn
    org_id: int
    org: str
    notes: list[object] = field(default_factory=list)

    async def add_user(
        self, login: str, *, password: str | None = PASSWORD, org_id: int | None = None, kind: str = "member",
        ends_at: int | None = None, name: str = "高橋 健", reading: str = "たかはし けん",
    ) -> int:  # fmt: skip
        """A bare account, past the rules of services/accounts.py."""
        hashed = await self.passwords.hash(password) if password else None

        async def insert(tx: Tx) -> int:
            return await people.insert(
                tx,
                NewUser(
                    new_id(tx.now), org_id or self.org_id, kind, login, name, reading,
                    password_hash=hashed, ends_at=ends_at,
                ),
            )  # fmt: skip

        return await self.storage.write(insert)

    async def session(
        self, login: str, password: str = PASSWORD, *, organization: str = "midorino", zone: str = ZONE,
        address: str = ADDRESS,
    ) -> Session:  # fmt: skip
        """Sign in all the way."""
        begun = await self.sign_in.start(organization, login, "机のPC", zone, address)
        assert begun.flow is not None
        done = await self.sign_in.password(begun.flow, password, zone, address)
        assert done.session is not None
        return done.session

    async def actor(self, session: Session, zone: str = ZONE) -> Actor:
        claims = self.tokens.verify_access(session.access_token, zone)
        return await self.storage.read(lambda reader: load_actor(reader, claims, ADDRESS, "lgwan"))

    def user_events(self) -> list[UserEvent]:
        return [note for note in self.notes if isinstance(note, UserEvent)]


@pytest.fixture
async def town(engine: str, tmp_path: Path) -> AsyncIterator[Town]:
    clock = MovedClock()
    storage = await open_storage(tmp_path / "data", clock)
    keys = Keys()
    await key_service.prepare(storage, keys)
    tokens = Tokens(keys, clock)
    passwords = Argon2Passwords(hasher=CHEAP)

    async def found(tx: Tx) -> tuple[int, str]:
        public_id = new_id(tx.now)
        return await organizations.insert(tx, public_id, "midorino", "みどりの市"), public_id

    org_id, org = await storage.write(found)
    sign_in = SignIn(storage, tokens, [PasswordStep(passwords)])
    town = Town(storage, clock, keys, tokens, passwords, sign_in, org_id, org)
    storage.on_notes = town.notes.extend
    try:
        yield town
    finally:
        await town.storage.close()  # a test may have opened another in its place
        passwords.close()


def code(problem: pytest.ExceptionInfo[Problem]) -> int:
    """The number of the error that a test expected."""
    return problem.value.fault.code
