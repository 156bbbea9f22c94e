"""From a staff file's bytes to its difference, and from a difference that somebody looked at to the import of just that.

Over HTTP the two are two requests, and between them the file may be saved again and somebody may be renamed. So the
first one gives a hash over the file and over every line that it showed, and the second one plans anew and does nothing
unless it comes to the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from chat_server.domain.actors import Actor
from chat_server.domain.errors import INVALID_FIELD, STAFF_CHANGED, Problem
from chat_server.ports import Clock, Reader, Storage
from chat_server.services import accounts, staff_apply, staff_days, staff_file, staff_plan, staff_report
from chat_server.services.authority import require_administrator
from chat_server.services.staff_apply import Still
from chat_server.services.staff_plan import Difference, Options
from chat_server.services.throttle import fold

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`as_of`: the import's day, today in Asia/Tokyo if None. `returning`: logins."""

    encoding: str | None = None
    as_of: str | None = None
    returning: tuple[str, ...] = ()
    disable_missing: bool = False
    close_missing: bool = False


async def plan(
    storage: Storage, clock: Clock, organization: Callable[[Reader], Awaitable[int]], content: bytes, wanted: Wanted
) -> tuple[int, Difference]:
    """The organization's key and the difference. Raises `Problem` 6006 with every fault of the file, 2001, and those of
    `organization`."""
    day = _day(wanted.as_of) or staff_days.day_of(clock.now())
    # Twenty thousand rows take a second, in which nobody else's message would go out.
    file = await asyncio.to_thread(staff_file.read, content, day, wanted.encoding)
    options = Options(day, frozenset(map(fold, wanted.returning)), wanted.disable_missing, wanted.close_missing)

    async def find(reader: Reader) -> tuple[int, Difference]:
        org_id = await organization(reader)
        return org_id, await staff_plan.plan(reader, org_id, file, options)

    return await storage.read(find)


async def show(storage: Storage, clock: Clock, who: Actor, content: bytes, wanted: Wanted) -> Wire:
    """`{counts, lines: {ja, en}, empty, difference}` and nothing is changed. Raises `Problem` 2008, 6013, and those of `plan`."""
    return (await _planned(storage, clock, who, content, wanted))[1]


async def carry_out(
    storage: Storage, clock: Clock, who: Actor, content: bytes, wanted: Wanted, shown: str, still: Still
) -> Wire:
    """The same, and now it is so. Where nothing is left to do (the answer to an earlier request was lost), nothing is
    done. Raises `Problem` 6012 unless the difference is the one that was `shown`, and those of `plan` and of
    `staff_apply.apply`."""
    difference, answer = await _planned(storage, clock, who, content, wanted)
    if not difference.empty():
        if answer["difference"] != shown:
            raise Problem(STAFF_CHANGED)
        await staff_apply.apply(storage, who, difference, still)
    return answer


async def _planned(
    storage: Storage, clock: Clock, who: Actor, content: bytes, wanted: Wanted
) -> tuple[Difference, Wire]:
    require_administrator(who)

    async def own(reader: Reader) -> int:
        return who.org_id

    _, difference = await plan(storage, clock, own, content, wanted)
    for leaving in difference.leaving():
        accounts.require_not_own(who, leaving.user_id)  # before anything is done: what comes after it could not be
    told = {language: staff_report.lines(difference, language, on_a_page=True) for language in staff_report.LANGUAGES}
    answer: Wire = {"counts": staff_report.counts(difference), "lines": told, "empty": difference.empty()}
    return difference, answer | {"difference": _hash(who.org_id, content, difference, answer)}


def _hash(org_id: int, content: bytes, difference: Difference, answer: Wire) -> str:
    about = [org_id, hashlib.sha256(content).hexdigest(), difference.options.as_of.isoformat(), answer]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode("ascii")).hexdigest()


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return staff_days.parse(text)
    except ValueError:
        raise Problem(INVALID_FIELD, field="as_of", reason="2027-04-01のような日付 / a day like 2027-04-01") from None
