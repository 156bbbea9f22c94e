"""The audit chain: edits, deletions and a cut-off end are found (security.md, last line of "Content")."""

from __future__ import annotations

import pytest

from chat_server.ports import Tx, Value
from chat_server.services import audit
from chat_server.services.audit import Head, Verdict
from tests.unit.people.conftest import Town

ROWS = 25


@pytest.fixture
async def chained(town: Town) -> Town:
    async def record(tx: Tx) -> None:
        for n in range(ROWS):
            await audit.record(tx, town.org_id, "u" * 26, "test.act", f"target-{n}", {"n": n}, "lgwan", "10.0.0.1")

    await town.storage.write(record)
    return town


async def _verify(town: Town, witness: Head | None = None) -> Verdict:
    return await town.storage.read(lambda reader: audit.verify(reader, town.org_id, witness))


async def _tamper(town: Town, sql: str, *values: Value) -> None:
    assert await town.storage.write(lambda tx: tx.run(sql, *values)) >= 1


async def test_an_untouched_chain_is_whole(chained: Town) -> None:
    verdict = await _verify(chained)
    assert verdict.ok
    assert verdict.rows == verdict.head.seq == ROWS
    assert (await _verify(chained, verdict.head)).ok


async def test_an_empty_chain_is_whole(town: Town) -> None:
    assert (await _verify(town)).ok


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", 1),
        ("actor", "somebody else"),
        ("act", "test.acu"),
        ("target", "target-x"),
        ("detail", '{"n":8}'),
        ("zone", "internet"),
        ("address", "10.0.0.2"),
        ("hash", "0" * 64),
    ],
)
@pytest.mark.parametrize("seq", [1, 7, ROWS])
async def test_an_edited_row_is_found(chained: Town, column: str, value: Value, seq: int) -> None:
    await _tamper(chained, f"UPDATE audit SET {column} = ? WHERE seq = ?", value, seq)
    verdict = await _verify(chained)
    assert (verdict.fault, verdict.seq) == ("edited", seq)


async def test_moving_text_between_fields_is_found(chained: Town) -> None:
    await _tamper(chained, "UPDATE audit SET act = act || target, target = '' WHERE seq = 7")
    assert (await _verify(chained)).fault == "edited"


@pytest.mark.parametrize("seq", [1, 7, ROWS - 1])
async def test_a_removed_row_is_found(chained: Town, seq: int) -> None:
    await _tamper(chained, "DELETE FROM audit WHERE seq = ?", seq)
    verdict = await _verify(chained)
    assert (verdict.fault, verdict.seq) == ("missing", seq)


async def test_a_removed_row_whose_gap_was_closed_is_found(chained: Town) -> None:
    await _tamper(chained, "DELETE FROM audit WHERE seq = 7")
    for seq in range(8, ROWS + 1):
        await _tamper(chained, "UPDATE audit SET seq = ? WHERE seq = ?", seq - 1, seq)
    assert (await _verify(chained)).fault == "edited"


async def test_a_truncated_chain_is_found(chained: Town) -> None:
    await _tamper(chained, "DELETE FROM audit WHERE seq > 20")
    verdict = await _verify(chained)
    assert (verdict.fault, verdict.seq) == ("truncated", 21)
    await _tamper(chained, "DELETE FROM audit")
    assert (await _verify(chained)).fault == "truncated"


async def test_a_truncated_chain_whose_head_was_set_back_needs_a_witness(chained: Town) -> None:
    """What a chain in the same file cannot show by itself; services/audit.py says so."""
    noted = (await _verify(chained)).head
    await _tamper(chained, "DELETE FROM audit WHERE seq > 20")
    await _tamper(
        chained,
        "UPDATE organizations SET audit_seq = 20, audit_hash = (SELECT hash FROM audit WHERE seq = 20) WHERE id = ?",
        chained.org_id,
    )
    assert (await _verify(chained)).ok
    verdict = await _verify(chained, noted)
    assert (verdict.fault, verdict.seq) == ("witness", 21)


async def test_a_chain_rewritten_from_some_row_on_needs_a_witness(chained: Town) -> None:
    noted = Head(15, (await chained.storage.read(lambda r: r.all("SELECT hash FROM audit WHERE seq = 15")))[0][0])

    async def rewrite(tx: Tx) -> None:
        await tx.run("DELETE FROM audit WHERE seq >= 10")
        row = await tx.one("SELECT hash FROM audit WHERE seq = 9")
        assert row is not None
        await tx.run("UPDATE organizations SET audit_seq = 9, audit_hash = ?", row[0])
        for n in range(10, ROWS + 1):
            await audit.record(tx, chained.org_id, "u" * 26, "test.act", f"forged-{n}", {}, "lgwan", "")

    await chained.storage.write(rewrite)
    assert (await _verify(chained)).ok
    assert (await _verify(chained, noted)).fault == "witness"


async def test_a_head_that_was_edited_is_found(chained: Town) -> None:
    await _tamper(chained, "UPDATE organizations SET audit_hash = ?", "0" * 64)
    assert (await _verify(chained)).fault == "head"


async def test_rows_added_behind_the_head_are_found(chained: Town) -> None:
    await _tamper(
        chained,
        "INSERT INTO audit SELECT org_id, seq + 1, at, actor, act, target, detail, zone, address, hash FROM audit"
        " WHERE seq = ?",
        ROWS,
    )
    assert (await _verify(chained)).fault == "edited"


async def test_a_chain_of_one_organization_means_nothing_in_another(chained: Town) -> None:
    await _tamper(
        chained,
        "INSERT INTO organizations (id, public_id, code, name, audit_seq, audit_hash, created_at)"
        " SELECT 99, 'x', 'x', 'x', audit_seq, audit_hash, 0 FROM organizations",
    )
    await _tamper(chained, "UPDATE audit SET org_id = 99")
    verdict = await chained.storage.read(lambda reader: audit.verify(reader, 99))
    assert verdict.fault == "edited"


async def test_line_breaks_cannot_forge_a_row(town: Town) -> None:
    nasty = 'x","2","y"\r\n2026-11-22 forged\x01\u2028'

    async def record(tx: Tx) -> None:
        await audit.record(tx, town.org_id, nasty, nasty, nasty, {nasty: nasty}, nasty, nasty)

    await town.storage.write(record)
    verdict = await _verify(town)
    assert verdict.ok
    assert verdict.rows == 1


async def test_the_row_and_the_act_are_one_transaction(town: Town) -> None:
    async def act(tx: Tx) -> None:
        await audit.record(tx, town.org_id, "u", "test", "t", {}, "", "")
        raise RuntimeError("the act failed")

    with pytest.raises(RuntimeError):
        await town.storage.write(act)
    verdict = await _verify(town)
    assert verdict.ok
    assert verdict.head == Head(0, "")


async def test_verification_reads_in_pages(chained: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 4)
    assert (await _verify(chained)).rows == ROWS
    await _tamper(chained, "UPDATE audit SET target = 'x' WHERE seq = 9")
    assert (await _verify(chained)).seq == 9
