"""Doing what a staff file's plan says, in small transactions: the server goes on serving meanwhile.

Departments first, then person by person, each in a transaction of its own with its audit row, then the departments
that close. Whatever interrupts it, the same import again does the rest: what is done is no difference any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from chat_server.domain.errors import SENDS_IN_PROGRESS, Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Reader, Storage, Tx
from chat_server.services import accounts, audit, directory, own_stream, staff_days
from chat_server.services.accounts import Names, NewAccount
from chat_server.services.authority import Administrator, require_administrator
from chat_server.services.staff_people import PersonPlan, Term
from chat_server.services.staff_plan import Difference
from chat_server.services.staff_tree import Node
from chat_server.storage.queries import departments

AT_ONCE: Final = 25
"""Transactions that wait for one commit together: the writer commits them as a group, and is free for others after a
few milliseconds."""
DEPARTMENTS_AT_ONCE: Final = 50

Step = Callable[[Tx], Awaitable[Any]]
Still = Callable[[Reader], Awaitable[Any]]
"""Raises `Problem` when whoever imports may not do so any more."""


async def apply(storage: Storage, who: Administrator, difference: Difference, still: Still | None = None) -> None:
    """Do what `difference` says; `still` is asked in each transaction. Raises `Problem` 2008, 8006 (the same people are
    being changed by somebody else), 6002 (a login was taken meanwhile), and those of `still`."""
    require_administrator(who)
    if difference.empty():
        return
    work = _Work(who, difference)
    phases = [[step] for step in work.department_steps()]
    persons: list[Step] = [partial(work.person, plan=plan) for plan in difference.people]
    phases += [persons[begin : begin + AT_ONCE] for begin in range(0, len(persons), AT_ONCE)]
    phases += [[step] for step in work.closing_steps()]
    # The directory's new version goes with the very last change. In a transaction of its own, a crash just before it
    # would leave everybody with the old directory, and the repeated import would find nothing to do.
    phases[-1][-1] = partial(work.and_announce, step=phases[-1][-1])
    for phase in phases:
        outcomes = await asyncio.gather(
            *(storage.write(partial(_if_still, still, step), org_id=who.org_id) for step in phase),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome


async def _if_still(still: Still | None, step: Step, tx: Tx) -> None:
    if still is not None:
        await still(tx)
    await step(tx)


@dataclass(slots=True)
class _Work:
    """The steps of one import. `ids`: integer keys of departments by code, growing as they are made."""

    who: Administrator
    difference: Difference
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes = (*self.difference.tree.order, *self.difference.closing)
        self.ids = {node.code: node.was.id for node in nodes if node.was is not None}

    async def and_announce(self, tx: Tx, step: Step) -> None:
        await step(tx)
        await directory.changed(tx, self.who.org_id)

    # Departments

    def department_steps(self) -> list[Step]:
        """Parents before children, so that none stands below itself at any moment."""
        nodes = [node for node in self.difference.tree.order if node.moved() or node.was is None or _renumbered(node)]
        return self._chunks(self._departments, nodes)

    def closing_steps(self) -> list[Step]:
        return self._chunks(self._close, self.difference.closing)

    def _chunks(self, use_case: Callable[..., Awaitable[None]], nodes: list[Node]) -> list[Step]:
        begins = range(0, len(nodes), DEPARTMENTS_AT_ONCE)
        return [partial(use_case, nodes=nodes[begin : begin + DEPARTMENTS_AT_ONCE]) for begin in begins]

    async def _departments(self, tx: Tx, nodes: list[Node]) -> None:
        org_id = self.who.org_id
        for node in nodes:
            parent_id = self.ids[node.parent.code] if node.parent else None
            if node.was is None:
                public_id = new_id(tx.now)
                self.ids[node.code] = await departments.insert(
                    tx, public_id, org_id, parent_id, node.code, node.name, node.position
                )
                detail = {"code": node.code, "path": node.path}
                await audit.record_by(tx, self.who, "department.add", public_id, detail)
                continue
            if node.code != node.was.code:
                await departments.set_code(tx, org_id, node.was.id, node.code)
            await departments.change(tx, org_id, node.was.id, parent_id, node.name, node.position, None)
            if node.moved():
                detail = {"code": node.code, "path": node.path, "was": self.difference.tree.before[node.was.id]}
                await audit.record_by(tx, self.who, "department.change", node.was.public_id, detail)

    async def _close(self, tx: Tx, nodes: list[Node]) -> None:
        for node in nodes:
            assert node.was is not None
            parent_id = self.ids[node.parent.code] if node.parent else None
            await departments.change(
                tx, self.who.org_id, node.was.id, parent_id, node.name, node.was.position, tx.now
            )  # fmt: skip
            await audit.record_by(tx, self.who, "department.close", node.was.public_id, {"code": node.code})

    # People

    async def person(self, tx: Tx, plan: PersonPlan) -> None:
        user_id, user = await self._account(tx, plan)
        if await departments.appointments_of(tx, self.who.org_id, user_id) != plan.seen:
            raise Problem(SENDS_IN_PROGRESS)
        if plan.new or plan.altered or plan.ended or plan.cancelled:
            await self._appointments(tx, plan, user_id)
            counts = {
                "new": len(plan.new), "altered": len(plan.altered), "ended": len(plan.ended),
                "cancelled": len(plan.cancelled),
            }  # fmt: skip
            await audit.record_by(tx, self.who, "person.appoint", user, counts)
            if plan.person is not None:
                await own_stream.append(tx, user_id, self.who.org_id, "profile", {})

    async def _account(self, tx: Tx, plan: PersonPlan) -> tuple[int, str]:
        if plan.person is None:
            new = NewAccount(plan.login, plan.name, reading=plan.reading, former_name=plan.former)
            user, user_id = await accounts.add_quietly(tx, self.who, new)
            return user_id, user
        if plan.returning:
            await accounts.enable_quietly(tx, self.who, plan.person)
        if plan.leaves:
            await accounts.disable_quietly(tx, self.who, plan.person)
        elif any(plan.renamed()):
            await accounts.rename_quietly(tx, self.who, plan.person, Names(plan.name, plan.reading, plan.former))
        return plan.person.user_id, plan.person.id

    async def _appointments(self, tx: Tx, plan: PersonPlan, user_id: int) -> None:
        org_id = self.who.org_id
        end = staff_days.begin(self.difference.options.as_of)
        for old in plan.cancelled:
            await departments.remove_appointment(tx, org_id, old.id)
        for old in plan.ended:
            await departments.set_terms(tx, org_id, old.id, old.rank, old.starts_at, end)
        for old, term in plan.altered:
            await departments.set_terms(tx, org_id, old.id, term.rank, term.starts_at, term.ends_at)
        for term in plan.new:
            await self._appoint(tx, user_id, term)

    async def _appoint(self, tx: Tx, user_id: int, term: Term) -> None:
        await departments.appoint(
            tx, self.who.org_id, user_id, self.ids[term.node.code], term.kind, term.post, term.rank, term.starts_at,
            term.ends_at,
        )  # fmt: skip


def _renumbered(node: Node) -> bool:
    return node.was is not None and node.position != node.was.position
