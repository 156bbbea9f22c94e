"""What is handed over as it came: held, sealed, until a second person of the named role has decided; once, and on record."""

from __future__ import annotations

import asyncio
import io
import itertools
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from chat_server.domain import limits
from chat_server.domain.actors import DEPARTMENT_ADMIN, ORGANIZATION_ADMIN, Actor
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.domain.links import FAMILY_BY_ENDING, NEVER
from chat_server.domain.policy import Policy, action
from chat_server.ports import Reader, Tx
from chat_server.sanitizing import kinds
from chat_server.services import (
    approvals,
    disarming,
    handed_files,
    link_overview,
    organizations,
    reports,
    takeouts,
    zone_rules,
)
from chat_server.services.authority import Operator
from chat_server.storage.queries import departments, people
from chat_server.workers.links import LinkWorker
from tests.support.files import path_of
from tests.support.handing_in import Link, add_link
from tests.support.people import add_organization, add_person
from tests.unit.document_samples import pages, sample, words
from tests.unit.photo_samples import encoded, picture
from tests.unit.storage.test_sweeping import Explaining
from tests.unit.test_disarming import House, house, programs
from tests.unit.test_sanitizing_drawings import jww

__all__ = ["house", "programs"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
_NUMBERS = itertools.count()
XDW = b"\x60\x0e\x82\x03" + b"DocuWorks" * 100


async def rule(house: House, **wanted: str) -> None:
    await house.app.storage.write(lambda tx: organizations.set_policy(tx, Operator(house.person.org_id), wanted))


async def approver(house: House, role: str = ORGANIZATION_ADMIN) -> Actor:
    login = f"approver{next(_NUMBERS)}"
    return await add_person(house.app.storage, house.person.org_id, login, roles=(role,))


async def listed(house: House, who: Actor) -> list[dict[str, Any]]:
    return await house.app.storage.read(lambda reader: approvals.waiting(reader, who))


async def decide(house: House, who: Actor, file: str, *, approve: bool = True) -> dict[str, Any]:
    return await house.app.storage.write(
        lambda tx: approvals.decide(tx, who, file, approve=approve, reason="電話で確認した")
    )


async def refused(house: House, who: Actor, file: str) -> int:
    with pytest.raises(Problem) as told:
        await decide(house, who, file)
    return told.value.fault.code


async def acts(house: House) -> list[str]:
    async def read(reader: Reader) -> list[str]:
        rows = await reader.all("SELECT act FROM audit WHERE act LIKE 'file.%' ORDER BY org_id, seq")
        return [str(row[0]) for row in rows]

    return await house.app.storage.read(read)


async def held(house: House, content: bytes, name: str) -> tuple[int, Link, Actor, dict[str, Any]]:
    """One file that waits: its key, its link, who may approve, and what they are shown."""
    link = await add_link(house.app, house.person)
    key = await link.hand_in(content, name)
    await house.worker().work()
    who = await approver(house)
    [item] = await listed(house, who)
    return key, link, who, item


async def test_the_original_is_handed_over_by_a_second_persons_approval_alone(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    macro = sample("SimpleMacro.xlsm").read_bytes()
    key, link, who, item = await held(house, macro, "数量表.xlsm")
    row = await house.row(key)
    assert (row["state"], row["attachment_id"], row["decided_at"]) == ("held", None, None)
    assert (item["name"], item["kind"], item["size"], item["sha256"]) == (
        "数量表.xlsm",
        "xlsx",
        len(macro),
        row["sha256"],
    )
    assert "マクロ1件があります(vbaproject.bin)" in [one["ja"] for one in item["findings"]]
    assert await house.worker().work() == 0
    files = [path for path in house.app.settings.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"vbaProject" in path.read_bytes()], "sealed, and nothing of it beside"

    assert (await decide(house, who, item["id"]))["state"] == "approved"
    assert await listed(house, who) == []
    assert (await house.row(key))["state"] == "waiting"
    await house.app.storage.write(disarming.resume)  # as after a kill in between
    assert await house.worker().work() == 1
    wire, made = await house.attachment(key)
    assert (wire["kind"], wire["name"], set(made) & {"original", "sanitized", "passed"}) == (
        "file",
        "数量表.xlsm",
        {"passed"},
    )
    assert made["passed"].sha256 == row["sha256"]
    assert path_of(house.app, house.person.org_id, row["sha256"]).read_bytes() == macro
    report = await house.report(key)
    assert (report.action, report.removed, report.sha256_after) == ("passed", [], row["sha256"])
    assert (await house.row(key))["sealed_sha256"] == row["sealed_sha256"], "still in quarantine"
    assert await acts(house) == ["file.held", "file.approve", "file.passed"]
    assert await house.worker().work() == 0
    assert await house.told(link) == 1


async def test_a_photo_is_handed_over_as_a_file_and_a_drawing_without_a_page(house: House) -> None:
    await rule(house, sanitize_photos="approve", sanitize_drawings="approve")
    for content, name in ((encoded(picture()), "橋.jpg"), (jww(), "図面.jww")):
        key, _, who, item = await held(house, content, name)
        await decide(house, who, item["id"])
        await house.worker().work()
        wire, made = await house.attachment(key)
        assert (wire["kind"], wire["name"]) == ("file", name)
        assert "passed" in made


async def test_what_nobody_can_rebuild_can_be_approved(house: House) -> None:
    link = await add_link(house.app, house.person)
    key = await link.hand_in(XDW, "契約書.xdw")
    await house.worker().work()
    assert (await house.report(key)).reason == "not_taken_apart"
    await rule(house, sanitize_others="approve")
    _, _, _, item = await held(house, XDW, "契約書.xdw")
    assert "中身は調べられませんでした。" in item["findings"][0]["ja"]
    photos = await add_link(house.app, house.person, "photos")
    key = await photos.hand_in(XDW, "契約書.xdw")
    await house.worker().work()
    assert (await house.report(key)).reason == "not_taken_apart"


async def test_nothing_dangerous_is_held(house: House) -> None:
    await rule(house, **dict.fromkeys(("sanitize_documents", "sanitize_archives"), "approve"))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("読んでください.txt", "a\n")
        archive.writestr("setup.exe", b"MZ\x90\0" * 100)
    link = await add_link(house.app, house.person)
    keys = [await link.hand_in(content, name) for content, name in (
        (b"MZ\x90\0" * 100, "見積書.pdf"), (made.getvalue(), "資料.zip"),
    )]  # fmt: skip
    await house.worker().work()
    assert [(await house.row(key))["state"] for key in keys] == ["refused", "refused"]
    assert [(await house.report(key)).reason for key in keys] == ["executable", "executable"]


async def test_in_an_archive_that_is_rebuilt_nothing_is_handed_over(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("表.pdf", pages(words("one")))
    link = await add_link(house.app, house.person)
    key = await link.hand_in(made.getvalue(), "資料.zip")
    await house.worker().work()
    assert ((await house.row(key))["state"], (await house.report(key)).reason) == ("refused", "needs_approval")


async def test_who_may_not_decide(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    key, _, who, item = await held(house, pages(words("one")), "a.pdf")
    file = item["id"]
    asker = replace(house.person, roles=frozenset((ORGANIZATION_ADMIN,)))
    [own] = await listed(house, asker)
    assert own["own"]
    assert await refused(house, asker, file) == 7118, "not the one who asked"
    assert await refused(house, replace(who, roles=frozenset()), file) == 7119, "a role that was lost meanwhile"
    assert await refused(house, replace(who, roles=frozenset((DEPARTMENT_ADMIN,))), file) == 7119
    assert await refused(house, replace(who, kind="guest"), file) == 7119
    assert await refused(house, replace(who, kind="bot"), file) == 7119
    other = await add_person(house.app.storage, await add_organization(house.app.storage, "tonari"), "tonari")
    stranger = replace(other, roles=frozenset((ORGANIZATION_ADMIN,)))
    assert (await listed(house, stranger), await refused(house, stranger, file)) == ([], 7116)
    await rule(house, approve_files="department_admin")
    section = replace(who, roles=frozenset((DEPARTMENT_ADMIN,)))
    assert (await listed(house, section), await refused(house, section, file)) == ([], 7116), "not their people"
    with pytest.raises(Problem) as told:
        await house.app.storage.write(lambda tx: approvals.decide(tx, who, file, approve=True, reason=" \n"))
    assert told.value.fault.code == 2001
    assert (await house.row(key))["state"] == "held"


async def test_a_departments_administrator_decides_for_their_own_people(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rule(house, sanitize_documents="approve", approve_files="department_admin")
    key, _, who, item = await held(house, pages(words("one")), "a.pdf")

    async def appoint(tx: Tx) -> None:
        department = await departments.insert(tx, new_id(tx.now), house.person.org_id, None, "1030", "道路課", 1)
        await departments.appoint(
            tx, house.person.org_id, house.person.user_id, department, "main", "主事", 10, 0, None
        )
        await people.grant(tx, house.person.org_id, who.user_id, DEPARTMENT_ADMIN, department)

    section = replace(who, roles=frozenset((DEPARTMENT_ADMIN,)))
    assert await listed(house, section) == []
    await house.app.storage.write(appoint)
    assert [one["id"] for one in await listed(house, section)] == [item["id"]]

    async def more(tx: Tx) -> None:
        """Two of another section's, before and at the same moment: however many there are, one's own is found."""
        for number, earlier in enumerate((1, 0)):
            await tx.run(
                "INSERT INTO held_files (public_id, org_id, sender_id, name, size, kind, zone, sha256, report, expires_at, state,"
                " held_at) SELECT ?, org_id, ?, name, size, kind, zone, sha256, report, expires_at, state, held_at - ?"
                " FROM held_files WHERE public_id = ?",
                f"theirs{number}", who.user_id, earlier, item["id"],
            )  # fmt: skip

    await house.app.storage.write(more)
    monkeypatch.setattr(approvals, "LISTED", 1)
    assert [one["id"] for one in await listed(house, section)] == [item["id"]]
    await decide(house, section, item["id"])
    assert (await house.row(key))["state"] == "waiting"


async def test_what_is_looked_for_every_so_often_is_found_without_a_scan(house: House) -> None:
    if house.app.settings.database:
        pytest.skip("the plans of SQLite")

    async def look(tx: Tx) -> dict[str, list[str]]:
        explaining = Explaining(tx)
        await approvals.lapsed(explaining)
        await approvals.waiting(explaining, admin)
        await takeouts.waiting(explaining, admin, lambda zone: 0)
        await handed_files.over(explaining)
        await link_overview.living(explaining, admin)
        return explaining.plans

    admin = await approver(house)
    for sql, steps in (await house.app.storage.write(look)).items():
        assert not [step for step in steps if step.startswith("SCAN")], (sql, steps)


async def test_of_two_who_decide_at_once_one_does(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    key, _, who, item = await held(house, pages(words("one")), "a.pdf")
    second = await approver(house)
    outcomes = await asyncio.gather(
        *(decide(house, one, item["id"], approve=approve) for one, approve in ((who, True), (second, False)) * 4),
        return_exceptions=True,
    )
    won = [one for one in outcomes if not isinstance(one, BaseException)]
    lost = [one for one in outcomes if isinstance(one, Problem)]
    assert (len(won), {one.fault.code for one in lost}, len(lost)) == (1, {7117}, 7)
    assert {one.params["who"] for one in lost} == {won[0]["approver"]}
    await house.worker().work()
    assert (await house.row(key))["state"] == ("released" if won[0]["state"] == "approved" else "refused")


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_refused_or_not_decided_in_time_is_not_received(house: House, late: bool) -> None:
    await rule(house, sanitize_documents="approve")
    key, link, who, item = await held(house, pages(words("one")), "a.pdf")
    if late:
        house.clock.ahead += 91 * limits.DAY
        assert await refused(house, who, item["id"]) == 7117
        assert await LinkWorker(house.app.storage).step() >= 1
    else:
        await decide(house, who, item["id"], approve=False)
    assert (await house.row(key))["state"] == "refused"
    assert (await house.report(key)).reason == ("lapsed" if late else "not_approved")
    assert await acts(house) == ["file.held", "file.lapse" if late else "file.refuse"]
    assert await house.told(link) == 1


async def test_bytes_that_are_not_those_that_were_received_are_not_handed_over(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    key, link, who, item = await held(house, pages(words("one")), "a.pdf")
    other = await link.hand_in(pages(words("two")), "b.pdf")
    sealed = (await house.row(other))["sealed_sha256"]
    await house.app.storage.write(
        lambda tx: tx.run("UPDATE handed_files SET sealed_sha256 = ? WHERE id = ?", sealed, key)
    )
    await decide(house, who, item["id"])
    for _ in range(disarming.TRIES + 1):
        await house.worker().work()
        house.clock.ahead += limits.HOUR
    assert ((await house.row(key))["state"], (await house.row(key))["attachment_id"]) == ("refused", None)


async def test_work_that_began_before_the_approval_decides_nothing_after_it(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    link = await add_link(house.app, house.person)
    key = await link.hand_in(pages(words("one")), "a.pdf")
    [old] = await house.app.storage.read(lambda tx: disarming.due(tx, 5))
    await house.worker().work()
    who = await approver(house)
    await decide(house, who, (await listed(house, who))[0]["id"])
    stale = disarming.Verdict((await house.row(key))["report"], held=True)
    assert not await house.app.storage.write(lambda tx: disarming.deliver(tx, old, stale, house.app.settings.trust))
    assert (await house.row(key))["state"] == "waiting"


async def test_who_reads_the_report_is_told_who_approved(house: House) -> None:
    await rule(house, sanitize_documents="approve")
    key, _, who, item = await held(house, pages(words("one")), "a.pdf")
    await decide(house, who, item["id"])
    await house.worker().work()

    async def read(tx: Tx) -> Any:
        row = await tx.one(
            "SELECT a.public_id, a.uploader_id FROM attachments a JOIN handed_files h ON h.attachment_id = a.id WHERE h.id = ?",
            key,
        )
        assert row is not None
        return await reports.report(tx, replace(house.person, user_id=row[1]), row[0])

    told = await house.app.storage.write(read)
    assert (told["action"], told["approval"]["name"], told["approval"]["reason"]) == (
        "passed",
        who.name,
        "電話で確認した",
    )


async def test_a_rule_for_a_pair_of_zones_holds_instead_of_the_organizations(house: House) -> None:
    admin, zones = Operator(house.person.org_id), house.app.settings.zones

    async def change(from_: str, to: str, family: str, wish: str | None) -> None:
        await house.app.storage.write(lambda tx: zone_rules.change(tx, admin, from_, to, family, wish, zones))

    link = await add_link(house.app, house.person)
    for wish, state in (("refuse", "refused"), ("approve", "held"), (None, "released")):
        await change("internet", "lgwan", "documents", wish)
        key = await link.hand_in(pages(words("one")), "a.pdf")
        await house.worker().work()
        assert (await house.row(key))["state"] == state
    for from_, to in (("lgwan", "internet"), ("internet", "internet"), ("nowhere", "lgwan")):
        with pytest.raises(Problem) as told:
            await change(from_, to, "documents", "refuse")
        assert told.value.fault.code == 7120
    with pytest.raises(Problem) as told:
        await change("internet", "lgwan", "photos", "flatten")
    assert told.value.fault.code == 2001
    rows = await house.app.storage.read(lambda tx: tx.all("SELECT act FROM audit WHERE act = 'organization.zone_rule'"))
    assert len(rows) == 3


async def test_the_strictest_rule_of_those_further_in_holds() -> None:
    zones, policy = ("internet", "dmz", "lgwan"), Policy(sanitize_photos="approve")
    assert action(policy, {}, "photos", "internet", zones) == "approve"
    assert action(policy, {("internet", "dmz", "photos"): "refuse"}, "photos", "internet", zones) == "refuse"
    assert action(policy, {("internet", "dmz", "photos"): "rebuild"}, "photos", "internet", zones) == "approve"
    both = {("internet", "dmz", "photos"): "rebuild", ("internet", "lgwan", "photos"): "rebuild"}
    assert action(policy, both, "photos", "internet", zones) == "rebuild"
    assert action(policy, both, "photos", "dmz", zones) == "approve"
    assert action(policy, both, "photos", "lgwan", zones) == "approve"


async def test_names_promise_what_the_sanitizer_thinks_that_they_promise() -> None:
    for ending, kind in kinds._BY_SUFFIX.items():
        family = next((family for family, found in zone_rules.KINDS.items() if kind in found), None)
        assert FAMILY_BY_ENDING.get(ending.removeprefix(".")) == family, ending
    assert not NEVER & set(FAMILY_BY_ENDING)
    assert not NEVER & {ending.removeprefix(".") for ending in kinds._BY_SUFFIX}
