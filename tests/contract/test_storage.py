"""`ports.Storage`: one body, every engine."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chat_server.clock import SystemClock
from chat_server.domain.errors import Problem
from chat_server.domain.limits import MINUTE
from chat_server.ports import AnyStorage, Reader, Tx
from chat_server.storage.jobs import BATCH
from tests.support.engines import held, open_storage
from tests.support.patience import DEADLINE
from tests.support.server import MovableClock

BOTH_ENGINES = True


@pytest.fixture
async def storage(engine: str, tmp_path: Path) -> AsyncIterator[AnyStorage]:
    opened = await open_storage(tmp_path, SystemClock())
    try:
        yield opened
    finally:
        await opened.close()


async def keep(tx: Tx, name: str, value: str = "") -> None:
    await tx.run("INSERT INTO settings (name, value) VALUES (?, ?)", name, value)


async def kept(reader: Reader) -> list[str]:
    rows = await reader.all("SELECT name FROM settings WHERE name LIKE 'x%' ORDER BY name")
    return [row[0] for row in rows]


def keeping(name: str) -> Callable[[Tx], Awaitable[None]]:
    async def use_case(tx: Tx) -> None:
        await keep(tx, name)
        tx.emit(name)

    return use_case


def failing(name: str) -> Callable[[Tx], Awaitable[None]]:
    async def use_case(tx: Tx) -> None:
        await keep(tx, name)
        tx.emit(name)
        raise ValueError(name)

    return use_case


async def _together(storage: AnyStorage, *use_cases: tuple[int, Callable[[Tx], Awaitable[Any]]]) -> list[list[object]]:
    """What each commit brought, when all of this is submitted at once."""
    committed: list[list[object]] = []
    storage.on_notes = committed.append
    await asyncio.gather(
        *(storage.write(use_case, org_id=org_id) for org_id, use_case in use_cases), return_exceptions=True
    )
    return committed


# The time


async def test_each_use_case_has_the_time_at_which_it_runs(engine: str, tmp_path: Path) -> None:
    """Not that at which its commit began: one that comes when a minute is over must not be told that it still runs."""
    clock = MovableClock()
    storage = await open_storage(tmp_path, clock)
    try:

        async def waits(tx: Tx) -> int:
            clock.ahead += MINUTE
            return tx.now

        times = await asyncio.gather(*(storage.write(waits, org_id=1) for _ in range(3)))
    finally:
        await storage.close()
    assert times[1] - times[0] >= MINUTE
    assert times[2] - times[1] >= MINUTE


# Atomicity


async def test_a_use_case_is_done_or_it_is_not(storage: AnyStorage) -> None:
    heard: list[object] = []
    storage.on_notes = heard.extend
    with pytest.raises(ValueError, match="x1"):
        await storage.write(failing("x1"))
    assert await storage.read(kept) == []
    await storage.write(keeping("x2"))
    assert await storage.read(kept) == ["x2"]
    assert heard == ["x2"], "what a use case that failed had to tell is not told"


async def test_one_that_fails_does_not_sink_those_that_share_its_commit(storage: AnyStorage) -> None:
    jobs = [(1, failing(f"x{n}") if n % 3 == 0 else keeping(f"x{n}")) for n in range(10)]
    committed = await _together(storage, *jobs)
    expected = [f"x{n}" for n in range(10) if n % 3]
    assert await storage.read(kept) == expected
    assert list(itertools.chain(*committed)) == expected, "in the order in which they came"


async def test_a_statement_that_the_engine_refuses_fails_its_use_case_alone(storage: AnyStorage) -> None:
    async def twice(tx: Tx) -> None:
        await keep(tx, "x1")
        await keep(tx, "x1")

    async def nonsense(tx: Tx) -> None:
        await tx.one("SELECT missing FROM nowhere")

    await _together(storage, (1, keeping("x0")), (1, twice), (1, nonsense), (1, keeping("x2")))
    assert await storage.read(kept) == ["x0", "x2"]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await storage.write(twice)


async def test_one_that_releases_its_savepoint_sinks_its_commit_and_not_the_writer(storage: AnyStorage) -> None:
    async def loses_it(tx: Tx) -> None:
        await keep(tx, "x1")
        await tx.run("RELEASE SAVEPOINT job")
        raise ValueError("after the savepoint went")

    with pytest.raises(ValueError, match="went"):
        await storage.write(loses_it)
    await storage.write(keeping("x2"))
    assert await storage.read(kept) == ["x2"]


async def test_a_use_case_may_await_nothing_but_its_transaction(storage: AnyStorage) -> None:
    async def waits(tx: Tx) -> None:
        await keep(tx, "x1")
        await asyncio.sleep(0)

    with pytest.raises(AssertionError, match="other than its Tx"):
        await storage.write(waits)
    await storage.write(keeping("x2"))
    assert await storage.read(kept) == ["x2"]


# Order, turns, time


async def test_notes_come_after_the_answer_and_their_commit_in_commit_order(storage: AnyStorage) -> None:
    told: list[object] = []
    storage.on_notes = told.extend
    for n in range(20):
        storage.submit(1, keeping(f"x{n:02}"), lambda result, error, n=n: told.append(n))  # type: ignore[misc]
    await storage.write(keeping("x99"), org_id=1)
    rows = {name: place for place, name in enumerate(told)}
    for n in range(20):
        assert rows[n] < rows[f"x{n:02}"], "the answer goes first"
    assert [name for name in told if isinstance(name, str)] == [*(f"x{n:02}" for n in range(20)), "x99"]


async def test_organizations_take_turns(storage: AnyStorage) -> None:
    """Whoever came last, behind a flood of another's, is in the very next commit, and early in it."""

    def noting(note: object) -> Callable[[Tx], Awaitable[None]]:
        async def use_case(tx: Tx) -> None:
            await tx.one("SELECT 1")
            tx.emit(note)

        return use_case

    submitted = threading.Event()

    async def holds_the_writer(tx: Tx) -> None:
        """Until everything is submitted, where the writer is a thread that would begin sooner."""
        await tx.one("SELECT 1")
        if threading.current_thread() is not threading.main_thread():
            submitted.wait(DEADLINE)

    asyncio.get_running_loop().call_later(0.1, submitted.set)
    flood = [(1, holds_the_writer), *((1, noting((1, n))) for n in range(BATCH))]
    own = [(org_id, noting((org_id, n))) for org_id in (2, 3) for n in range(2)]
    order = list(itertools.chain(*await _together(storage, *flood, *own)))
    assert set(order[:8]) >= {(2, 0), (3, 0), (2, 1), (3, 1)}
    assert [note for note in order if note[0] == 1] == [(1, n) for n in range(BATCH)]  # type: ignore[index]


async def test_one_moment_for_the_whole_use_case(storage: AnyStorage) -> None:
    async def moments(tx: Reader) -> tuple[int, int]:
        before = tx.now
        await tx.one("SELECT 1")
        return before, tx.now

    for before, after in (await storage.read(moments), await storage.write(moments)):
        assert before == after
        assert abs(before - SystemClock().now()) < 60_000


# Views


async def test_a_view_is_of_one_moment(storage: AnyStorage) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def twice(reader: Reader) -> tuple[list[str], list[str]]:
        first = await kept(reader)
        begun.set()
        await go_on.wait()
        return first, await kept(reader)

    view = asyncio.create_task(storage.read(twice))
    await begun.wait()
    await storage.write(keeping("x1"))
    assert await storage.read(kept) == ["x1"], "another view sees it at once: whoever was answered finds what they did"
    go_on.set()
    assert await view == ([], [])


async def test_a_view_cannot_write(storage: AnyStorage) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await storage.read(
            lambda reader: reader.all("INSERT INTO settings (name, value) VALUES ('x1', '') RETURNING 1")
        )
    assert await storage.read(kept) == []


async def test_a_view_that_fails_or_is_given_up_leaves_nothing_behind(storage: AnyStorage) -> None:
    async def fails(reader: Reader) -> None:
        await reader.one("SELECT missing FROM nowhere")

    for _ in range(10):  # more often than there are readers
        with pytest.raises(Exception, match="nowhere"):
            await storage.read(fails)
        task = asyncio.create_task(storage.read(kept))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await storage.write(keeping("x1"))
    assert await asyncio.gather(*(storage.read(kept) for _ in range(10))) == [["x1"]] * 10


# Those who do not wait


async def test_a_write_that_nobody_waits_for_any_more_is_done_whole(storage: AnyStorage) -> None:
    writes = [asyncio.create_task(storage.write(keeping(f"x{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    for write in writes[:4]:
        write.cancel()
    await writes[4]
    assert await storage.read(kept) == [f"x{n}" for n in range(5)]


async def test_an_answer_that_cannot_be_given_takes_nobody_along(storage: AnyStorage) -> None:
    heard: list[object] = []
    storage.on_notes = heard.extend

    def fails(result: Any, error: BaseException | None) -> None:
        raise RuntimeError("the socket is closed")

    storage.submit(0, keeping("x1"), fails)
    await storage.write(keeping("x2"))
    assert heard == ["x1", "x2"]


async def test_closing_commits_what_was_submitted(engine: str, tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    answers: list[object] = []
    for n in range(10):
        storage.submit(n % 3, keeping(f"x{n}"), lambda result, error: answers.append(error))
    await storage.close()
    again = await open_storage(tmp_path, SystemClock())
    try:
        assert await again.read(kept) == [f"x{n}" for n in range(10)]
        await asyncio.sleep(0)  # on SQLite the answers come by the loop
        assert answers == [None] * 10
    finally:
        await again.close()


# Somebody else has it


async def test_a_held_database_is_waited_for_a_while_and_then_busy(storage: AnyStorage, tmp_path: Path) -> None:
    begun = asyncio.get_running_loop().time()
    async with held(tmp_path):
        waiting = [asyncio.create_task(storage.write(keeping(f"x{n}"), org_id=n)) for n in range(3)]
        for write in waiting:
            with pytest.raises(Problem) as problem:
                await write
            assert problem.value.fault.code == 8001
            assert problem.value.params["retry_after"] > 0
        assert asyncio.get_running_loop().time() - begun < DEADLINE / 2
        assert await storage.read(kept) == [], "reading goes on"
    await storage.write(keeping("x9"))
    assert await storage.read(kept) == ["x9"]


# The dialect


async def test_values_come_back_as_they_went(storage: AnyStorage) -> None:
    async def there_and_back(tx: Tx) -> list[Any]:
        org = await tx.one(
            "INSERT INTO organizations (public_id, code, name, retention_days, created_at) VALUES (?, ?, ?, ?, ?)"
            " RETURNING id",
            "o", "o", "みどり野市 🗾 '?' \"?\"", None, 2**53,
        )  # fmt: skip
        assert org is not None
        await tx.run("INSERT INTO blobs (org_id, sha256, size, origin_zone, created_at) VALUES (?, ?, ?, ?, ?)",
                     org[0], "h", 2**40, "", 0)  # fmt: skip
        row = await tx.one(
            "SELECT o.name, o.retention_days, o.created_at, o.retention_days IS NULL, '?', b.size, count(*) OVER ()"
            " FROM organizations o JOIN blobs b ON b.org_id = o.id WHERE o.id = ? AND b.size > ?",
            org[0], 5,
        )  # fmt: skip
        assert row is not None
        return list(row)

    assert await storage.write(there_and_back) == [
        "みどり野市 🗾 '?' \"?\"", None, 2**53, True, "?", 2**40, 1,
    ]  # fmt: skip


async def test_rows_changed_are_counted(storage: AnyStorage) -> None:
    async def count(tx: Tx) -> list[int]:
        return [
            await tx.run("INSERT INTO settings (name, value) VALUES ('xa', ''), ('xb', '')"),
            await tx.run("INSERT INTO settings (name, value) VALUES (?, '') ON CONFLICT DO NOTHING", "xa"),
            await tx.run("UPDATE settings SET value = ? WHERE name LIKE 'x%'", "v"),
            await tx.run("UPDATE settings SET value = ? WHERE name = 'nobody'", "v"),
            await tx.run("DELETE FROM settings WHERE name = ?", "xb"),
        ]

    assert await storage.write(count) == [2, 0, 2, 0, 1]


async def test_text_is_ordered_by_its_bytes(storage: AnyStorage) -> None:
    names = ["xB", "xa", "x b", "xé", "xん", "xア", "x-b", "x亜", "x🗾", "xｱ"]

    async def fill(tx: Tx) -> None:
        for name in names:
            await keep(tx, name)

    await storage.write(fill)
    assert await storage.read(kept) == sorted(names, key=str.encode)


async def test_nul_in_text_is_no_fault(storage: AnyStorage) -> None:
    """No column of PostgreSQL holds it; whoever asks under such a name finds nothing."""
    await storage.write(keeping("x1"))
    assert await storage.read(lambda tx: tx.one("SELECT name FROM settings WHERE name = ?", "x1\0")) is None
    assert await storage.write(lambda tx: tx.run("UPDATE settings SET value = ? WHERE name = ?", "a", "x1\0")) == 0
