"""Signing in, step by step (docs/protocol.md, section 1).

A flow's token is spent by the step that it is brought to, and every step answers with another token or with the
session: a token that somebody planted or overheard is worth nothing afterwards (session fixation). An attempt that
fails spends its flow too; the client begins anew.

Unknown organizations, unknown logins and wrong passwords go the same way with the same work: the same transactions,
the same slow verification (against a hash that nobody knows the password of), the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from chat_server.domain import limits
from chat_server.domain.devices import approved_at_once
from chat_server.domain.errors import FLOW_INVALID, SIGN_IN_FAILED, Problem
from chat_server.domain.ids import new_secret
from chat_server.ports import Passwords, Storage, Tx
from chat_server.services import audit, device_rules, rooms, sessions, throttle
from chat_server.services.actors import in_good_standing
from chat_server.services.labels import clean_label
from chat_server.services.membership import Who
from chat_server.services.sessions import Granted, Session, digest
from chat_server.services.tokens import Tokens
from chat_server.storage.queries import organizations
from chat_server.storage.queries import sign_in as queries
from chat_server.storage.queries.sign_in import Account, Flow

UNNAMED_DEVICE: Final = "端末"
UNKNOWN: Final = "unknown"


class Progress(msgspec.Struct, frozen=True):
    """The answer of every step: the next token and the steps it is good for, or the session."""

    flow: str | None
    next: tuple[str, ...]
    session: Session | None

    def __repr__(self) -> str:
        return f"Progress(next={self.next!r}, session={self.session!r})"


class Step(Protocol):
    """One thing that somebody proves. A second factor and single sign-on are further ones of these."""

    name: str

    def asked_of(self, account: Account | None) -> bool:
        """Whether this account has to take the step. MUST answer for nobody (None) as for most accounts."""
        ...

    async def prove(self, account: Account | None, proof: str) -> bool:
        """Outside any transaction. MUST do the same work for nobody."""
        ...

    async def settle(self, account: Account, proof: str) -> str | None:
        """After success, outside any transaction: a new password hash, where the old one's parameters are outdated."""
        ...


class PasswordStep:
    """What one knows."""

    name = "password"

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    def asked_of(self, account: Account | None) -> bool:
        return True

    async def prove(self, account: Account | None, proof: str) -> bool:
        return await self._passwords.verify(account.password_hash if account else None, proof)

    async def settle(self, account: Account, proof: str) -> str | None:
        if account.password_hash is None or not self._passwords.outdated(account.password_hash):
            return None
        return await self._passwords.hash(proof)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the first transaction of a step found."""

    flow: Flow
    account: Account | None


class SignIn:
    """The use cases of signing in. `zone` and `address` are those of the connection, known by the listener."""

    def __init__(self, storage: Storage, tokens: Tokens, steps: Sequence[Step], most_trusted: str = "") -> None:
        self._storage = storage
        self._most_trusted = most_trusted
        self._tokens = tokens
        self._steps = tuple(steps)

    async def start(self, organization: str, login: str, device_name: str, zone: str, address: str) -> Progress:
        """Begin. Raises `Problem` 1002 after thousands of flows from one address."""
        token = new_secret()

        async def begin(tx: Tx) -> tuple[str, ...]:
            await throttle.count(tx, [throttle.flows(address)])
            org_id, account = await queries.find_login(tx, throttle.fold(organization), throttle.fold(login))
            flow = Flow(
                org_id=org_id,
                user_id=account.user_id if account else 0,
                account=throttle.account(organization, login).key,
                device_name=clean_label(device_name, limits.NAME_CHARS) or UNNAMED_DEVICE,
                zone=zone,
                passed="",
                expires_at=tx.now + limits.FLOW_LIVES,
            )
            await queries.insert_flow(tx, digest(token), flow)
            return self._remaining(flow, account)

        return Progress(token, await self._storage.write(begin), None)

    async def password(self, flow: str, password: str, zone: str, address: str) -> Progress:
        """The password step. Raises as `take`."""
        return await self.take(PasswordStep.name, flow, password, zone, address)

    async def take(self, step: str, flow: str, proof: str, zone: str, address: str) -> Progress:
        """Take the step `step` with a flow's token.

        Raises `Problem` 1006 (no such flow, its time is over, another zone, or not this step's turn), 1002 (too many
        failures), 1001 (not proved), 8001 (too many sign-ins at once; the attempt is not counted), and after the last step
        6020 (as many devices as one may have), 6023 (no device may come from this zone).
        """
        taken = next(candidate for candidate in self._steps if candidate.name == step)
        attempt = await self._storage.write(lambda tx: self._attempt(tx, taken, flow, zone, address))
        counters = [throttle.account_by_key(attempt.flow.account), throttle.address(address)]
        try:
            proved = await taken.prove(attempt.account, proof)
        except Problem:
            await self._storage.write(lambda tx: throttle.give_back(tx, counters))
            raise
        account = attempt.account
        if not proved or account is None:
            await self._storage.write(lambda tx: self._failed(tx, attempt, taken, address), org_id=attempt.flow.org_id)
            raise Problem(SIGN_IN_FAILED)
        new_hash = await taken.settle(account, proof)
        outcome = await self._storage.write(
            lambda tx: self._passed(tx, attempt.flow, account, taken, new_hash, address), org_id=account.org_id
        )
        if isinstance(outcome, Problem):
            # Raised only here: what was proved stays proved, and is no failure.
            raise outcome
        if isinstance(outcome, Granted):
            return Progress(None, (), outcome.session(self._tokens))
        return outcome

    def _remaining(self, flow: Flow, account: Account | None) -> tuple[str, ...]:
        passed = flow.passed.split(",")
        return tuple(step.name for step in self._steps if step.name not in passed and step.asked_of(account))

    async def _attempt(self, tx: Tx, step: Step, token: str, zone: str, address: str) -> _Attempt:
        flow = await queries.take_flow(tx, digest(token))
        if flow is None or flow.expires_at <= tx.now or flow.zone != zone:
            raise Problem(FLOW_INVALID, field="flow")
        await throttle.count(tx, [throttle.account_by_key(flow.account), throttle.address(address)])
        account = await queries.account(tx, flow.org_id, flow.user_id)
        if account is not None and not in_good_standing(account.disabled_at, account.ends_at, tx.now):
            account = None
        if step.name not in self._remaining(flow, account)[:1]:
            raise Problem(FLOW_INVALID, field="flow")
        return _Attempt(flow, account)

    async def _failed(self, tx: Tx, attempt: _Attempt, step: Step, address: str) -> None:
        """Put on record. The write happens for nobody too: a commit to disk can be timed from outside."""
        flow, account = attempt.flow, attempt.account
        await queries.touch(tx, flow.account)
        if flow.org_id:
            who = account.user if account else UNKNOWN
            await audit.record(tx, flow.org_id, who, "sign_in.failed", who, {"step": step.name}, flow.zone, address)

    async def _passed(
        self, tx: Tx, flow: Flow, account: Account, step: Step, new_hash: str | None, address: str
    ) -> Progress | Granted | Problem:
        """The proof holds for the account as it is now, or not at all: it may have been disabled, or have got another
        password, while the old one was being verified."""
        now = await queries.account(tx, account.org_id, account.user_id)
        if (
            now is None
            or not in_good_standing(now.disabled_at, now.ends_at, tx.now)
            or now.password_hash != account.password_hash
        ):
            raise Problem(SIGN_IN_FAILED)
        await throttle.give_back(tx, [throttle.address(address)])
        if new_hash is not None and account.password_hash is not None:
            await queries.replace_password(tx, account.org_id, account.user_id, account.password_hash, new_hash)
        flow = replace(flow, passed=f"{flow.passed},{step.name}".strip(","))
        if remaining := self._remaining(flow, now):
            await throttle.give_back(tx, [throttle.account_by_key(flow.account)])
            token = new_secret()
            await queries.insert_flow(tx, digest(token), replace(flow, expires_at=tx.now + limits.FLOW_LIVES))
            return Progress(token, remaining, None)
        await throttle.reset(tx, throttle.account_by_key(flow.account))
        rules = await organizations.policy(tx, now.org_id)
        refusal = await device_rules.refusal(tx, rules, now.org_id, now.user_id, flow.zone, self._most_trusted)
        if refusal is not None:
            return refusal
        granted = await sessions.begin(
            tx,
            user_id=now.user_id,
            org_id=now.org_id,
            user=now.user,
            org=now.org,
            ends_at=now.ends_at,
            device_name=flow.device_name,
            zone=flow.zone,
            address=address,
            approved=approved_at_once(rules, flow.zone, self._most_trusted),
        )
        await rooms.welcome(tx, Who(now.user_id, now.org_id, now.user))
        await audit.record(
            tx, now.org_id, now.user, "sign_in", granted.device, {"steps": flow.passed}, flow.zone, address
        )
        return granted
