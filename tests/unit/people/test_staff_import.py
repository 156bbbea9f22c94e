"""Importing staff files: what the difference says, what is then so, again and interrupted (docs/staff-csv.md)."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_server.domain.errors import Problem
from chat_server.ports import Tx
from chat_server.services import (
    accounts,
    audit,
    directory,
    organizations,
    staff_apply,
    staff_days,
    staff_file,
    staff_plan,
    staff_report,
)
from chat_server.services.authority import Operator
from chat_server.services.operations import OPERATIONS, Deps
from chat_server.services.staff_apply import Step
from chat_server.services.staff_plan import Difference, Options
from chat_server.storage.queries import departments, people
from chat_server.storage.queries.people import NewUser, Person
from tests.unit.people.conftest import Town
from tests.unit.people.test_staff_file import HEADER, SAMPLES

DAY = date(2026, 9, 22)
APRIL = date(2027, 4, 1)


@dataclass
class Personnel:
    """The personnel section at work."""

    town: Town

    def on(self, day: date) -> None:
        self.town.clock.at = staff_days.begin(day) + 9 * 3_600_000

    async def plan(self, data: bytes | str, day: date | None = None, **options: Any) -> Difference:
        day = day or staff_days.day_of(self.town.clock.at)
        file = staff_file.read(data if isinstance(data, bytes) else f"{HEADER}\n{data}".encode(), day)
        return await self.town.storage.read(
            partial(staff_plan.plan, org_id=self.town.org_id, file=file, options=Options(day, **options))
        )

    async def run(self, data: bytes | str, day: date | None = None, **options: Any) -> list[str]:
        """Import; the Japanese text without the sections' titles and the summary."""
        difference = await self.plan(data, day, **options)
        await staff_apply.apply(self.town.storage, Operator(self.town.org_id), difference)
        return [line.strip() for line in staff_report.lines(difference, "ja") if line.startswith("  ")]

    async def everybody(self) -> dict[str, Person]:
        found = await self.town.storage.read(partial(people.of_organization, org_id=self.town.org_id))
        return {person.login: person for person in found if person.disabled_at is None}

    async def paths(self) -> dict[str, str]:
        """code → path of open departments, in department order."""
        found = await self.town.storage.read(partial(departments.all_departments, org_id=self.town.org_id))
        by_id = {one.id: one for one in found}

        def path(one: departments.Department) -> str:
            return f"{path(by_id[one.parent_id])}/{one.name}" if one.parent_id else one.name

        return {one.code: path(one) for one in found if one.closed_at is None}

    async def terms(self, login: str) -> list[tuple[str, str, str, str]]:
        """(kind, post, first day, last day) of somebody, oldest first."""
        user_id = (await self.everybody())[login].user_id
        found = await self.town.storage.read(
            partial(departments.appointments_of, org_id=self.town.org_id, user_id=user_id)
        )
        return [
            (
                one.kind,
                one.post,
                str(staff_days.day_of(one.starts_at)),
                str(staff_days.day_of(one.ends_at - 1)) if one.ends_at else "",
            )
            for one in found
        ]


@pytest.fixture
def personnel(town: Town) -> Personnel:
    office = Personnel(town)
    office.on(DAY)
    return office


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def line(
    login: str, post: str, path: str = "総務課", *, name: str = "", reading: str = "あ", code: str = "", order: str = "",
    rank: str = "", kind: str = "", start: str = "", end: str = "", former: str = "",
) -> str:  # fmt: skip
    return ",".join([login, name or f"氏 {login}", reading, former, code, path, order, post, rank, kind, start, end])


async def test_the_sample_then_the_same_again_then_next_april(personnel: Personnel) -> None:
    first = await personnel.run(sample("staff-utf8.csv"))
    assert len(first) == 11 + 13 + 15
    assert list((await personnel.paths()).values()) == [
        "総務部", "総務部/総務課", "総務部/ﾃﾞｼﾞﾀﾙ推進室①", "総務部/財政課", "総務部/財政課/予算係", "総務部/財政課/契約係",
        "建設部", "建設部/道路課", "建設部/道路課/維持係（現場Ⅱ）", "教育委員会", "教育委員会/教育総務課",
    ]  # fmt: skip
    assert await personnel.run(sample("staff-cp932.csv")) == []
    staff = await personnel.everybody()
    assert staff["notok"].department == "財政課 予算係"
    assert staff["hamazaki"].name == "濵﨑 \uf9dc"
    assert (await personnel.terms("sone")) == [("annual", "会計年度任用職員", "2026-04-01", "2027-03-31")]

    personnel.on(APRIL)
    await personnel.run(sample("staff-next-april.csv"))
    staff = await personnel.everybody()
    assert (staff["takahara"].department, staff["takahara"].post) == ("総務部", "部長")
    assert (staff["ito-y"].name, staff["ito-y"].former_name) == ("石動 陽", "伊藤")
    assert staff["sowa"].department == "デジタル推進課"
    assert staff["shinjo"].department == "財政課 予算係"
    assert await personnel.terms("kamae") == [
        ("main", "課長", "2026-04-01", ""),
        ("joint", "次長", "2026-04-01", "2027-03-31"),
    ]
    assert await personnel.terms("notok") == [
        ("main", "係長", "2026-04-01", "2027-03-31"),
        ("concurrent", "主査", "2026-04-01", "2027-03-31"),
        ("main", "課長", "2027-04-01", ""),
    ]
    again = await personnel.run(sample("staff-next-april.csv"))
    assert again == [
        "! omote 表 孝一 名簿にない職員(そのままにします。停止するには --disable-missing)",
        "! okabe 岡部 暖 名簿にない職員(そのままにします。停止するには --disable-missing)",
    ]
    verdict = await personnel.town.storage.read(lambda r: audit.verify(r, personnel.town.org_id))
    assert verdict.ok


async def test_the_dry_run_changes_nothing_and_the_text_is_that_of_the_page(personnel: Personnel) -> None:
    difference = await personnel.plan(
        line("omote", "部長", "総務部", name="表 孝一", reading="オモテ コウイチ", start="R8.4.1")
    )
    assert staff_report.lines(difference, "ja") == [
        "所属",
        f"  + {next(iter(difference.tree.order)).code} 総務部",
        "職員",
        "  + omote 表 孝一(おもて こういち)",
        "発令",
        "  + omote 表 孝一 本務 総務部 部長 2026-04-01から",
        "所属 追加1 変更0 閉鎖0 / 職員 追加1 変更0 停止0 / 発令 追加1 変更0 終了0",
    ]
    english = staff_report.lines(difference, "en")
    assert english[0] == "Departments"
    assert english[-1] == "Departments +1 ~0 closed 0 / people +1 ~0 disabled 0 / appointments +1 ~0 ended 0"
    assert await personnel.everybody() == {}
    assert await personnel.paths() == {}


async def test_nothing_to_do_says_so(personnel: Personnel) -> None:
    text = line("a", "主事")
    await personnel.run(text)
    assert staff_report.lines(await personnel.plan(text), "ja") == ["変更はありません"]
    assert staff_report.lines(await personnel.plan(text), "en") == ["Nothing to change"]


async def test_one_wrong_line_and_nothing_is_written(personnel: Personnel) -> None:
    with pytest.raises(Problem) as problem:
        await personnel.run("\n".join([line("a", "主事"), line("b", "主事", "", code="999")]))
    assert problem.value.fault.code == 6006
    assert (problem.value.params["line"], problem.value.field) == (3, "所属コード")
    assert await personnel.everybody() == {}
    assert await personnel.paths() == {}


async def test_departments_are_renamed_moved_and_reopened_by_code(personnel: Personnel) -> None:
    await personnel.run(
        "\n".join(
            [
                line("a", "課長", "建設部/道路課", code="20"),
                line("b", "主事", "建設部/道路課/維持係", code="21"),
                line("c", "主事", "総務部", code="10"),
            ]
        )
    )
    before = await personnel.everybody()
    told = await personnel.run(
        "\n".join(
            [
                line("a", "課長", "総務部/道路管理課", code="20"),
                line("b", "主事", "", code="21"),
                line("c", "主事", "総務部", code="10"),
            ]
        )
    )
    assert told[0] == "~ 20 総務部/道路管理課 ← 建設部/道路課"
    paths = await personnel.paths()
    assert paths["21"] == "総務部/道路管理課/維持係"
    after = await personnel.everybody()
    assert after["b"].department == "道路管理課 維持係"
    assert {login: person.id for login, person in after.items()} == {login: p.id for login, p in before.items()}
    assert len(await personnel.terms("b")) == 1  # a renamed section is no new appointment


async def test_a_department_can_come_to_stand_below_its_own_child(personnel: Personnel) -> None:
    await personnel.run("\n".join([line("a", "長", "甲", code="1"), line("b", "長", "甲/乙", code="2")]))
    await personnel.run("\n".join([line("b", "長", "乙", code="2"), line("a", "長", "乙/甲", code="1")]))
    assert await personnel.paths() == {"2": "乙", "1": "乙/甲"}
    assert staff_report.lines(
        await personnel.plan("\n".join([line("b", "長", "乙", code="2"), line("a", "長", "乙/甲", code="1")])), "ja"
    ) == ["変更はありません"]


async def test_a_moved_department_is_not_taken_for_its_old_self(personnel: Personnel) -> None:
    await personnel.run(line("a", "長", "建設部/道路課", code="1"))
    await personnel.run("\n".join([line("a", "長", "都市部/道路課", code="1"), line("b", "長", "建設部/道路課")]))
    paths = await personnel.paths()
    assert paths.pop("1") == "都市部/道路課"
    assert sorted(paths.values()) == ["建設部", "建設部/道路課", "都市部"]
    assert all(code.startswith("auto-") for code in paths)


async def test_a_department_that_gets_its_code_later_is_still_itself(personnel: Personnel) -> None:
    await personnel.run("\n".join([line("a", "長", "甲"), line("b", "主事", "甲/乙")]))
    before = await personnel.everybody()
    told = await personnel.run("\n".join([line("a", "長", "甲", code="1"), line("b", "主事", "甲/乙", code="2")]))
    assert [one.split(" ")[:2] for one in told] == [["~", "1"], ["~", "2"]]
    assert await personnel.paths() == {"1": "甲", "2": "甲/乙"}
    assert await personnel.everybody() == before


async def test_a_department_of_somebodys_history_stays(personnel: Personnel) -> None:
    text = "\n".join([line("a", "主事", "旧課", start="2020/4/1", end="2026/3/31"), line("a", "主事", "新課")])
    await personnel.run(text, close_missing=True)
    assert sorted((await personnel.paths()).values()) == ["新課", "旧課"]
    assert (await personnel.plan(text, close_missing=True)).empty()


async def test_siblings_stand_in_their_order_and_the_others_keep_their_place(personnel: Personnel) -> None:
    await personnel.run(
        "\n".join(
            [
                line("a", "長", "甲", order="10"),
                line("b", "長", "乙"),
                line("c", "長", "丙", order="20"),
                line("d", "長", "丁"),
            ]
        )
    )
    assert list((await personnel.paths()).values()) == ["甲", "丙", "乙", "丁"]
    rows = [line("c", "長", "丙", order="5"), line("a", "長", "甲", order="10"), line("e", "長", "戊", order="7")]
    told = await personnel.run("\n".join(rows))
    assert list((await personnel.paths()).values()) == ["丙", "乙", "丁", "戊", "甲"]
    assert "~ 建制順が変わる所属 4" in told
    assert staff_report.lines(await personnel.plan("\n".join(rows)), "ja")[-1] == "変更はありません"


async def test_departments_that_are_not_in_the_file(personnel: Personnel) -> None:
    both = "\n".join([line("a", "長", "甲", code="1"), line("b", "長", "乙/丙", code="2")])
    await personnel.run(both)
    one = line("a", "長", "甲", code="1")
    told = await personnel.run(one)
    assert "! 2 乙/丙 名簿にない所属(そのままにします。閉鎖するには --close-missing)" in told
    told = await personnel.run(one, close_missing=True)
    assert "! 2 乙/丙 名簿にない所属(在籍者がいるため閉鎖しません)" in told
    assert len(await personnel.paths()) == 3
    told = await personnel.run(one, close_missing=True, disable_missing=True)
    assert "- 2 乙/丙 名簿にない所属(閉鎖します)" in told
    assert await personnel.paths() == {"1": "甲"}
    with pytest.raises(Problem):  # a code alone must name one that is open
        await personnel.plan(line("a", "長", "", code="2"))
    told = await personnel.run("\n".join([one, line("c", "長", "乙/丙", code="2")]))
    assert any(text.startswith("~ 2 乙/丙 ← 乙/丙 (再開)") for text in told)


async def test_names_change_and_old_ones_are_kept(personnel: Personnel) -> None:
    await personnel.run(line("a", "主事", name="浜崎 隆", reading="ハマサキ タカシ"))
    told = await personnel.run(line("a", "主事", name="濵﨑 隆", reading="はまざき たかし"))
    assert told == ["~ a 氏名 濵﨑 隆 ← 浜崎 隆", "~ a ふりがな はまざき たかし ← はまさき たかし"]
    assert (await personnel.everybody())["a"].former_name is None  # the same name, put right
    await personnel.run(line("a", "主事", name="田中 隆", reading="たなか たかし"))
    assert (await personnel.everybody())["a"].former_name == "濵﨑"
    told = await personnel.run(line("a", "主事", name="田中 隆", reading="たなか たかし", former="浜崎"))
    assert told == ["~ a 旧姓 浜崎 ← 濵﨑"]


async def test_appointments_change_their_terms_and_end(personnel: Personnel) -> None:
    await personnel.run("\n".join([line("a", "主事", start="2026/4/1"), line("a", "主査", "会計課", kind="兼務")]))
    told = await personnel.run(line("a", "主事", start="2026/5/1", end="2027/3/31", rank="70"))
    assert told == [
        told[0],
        "~ a 氏 a 本務 総務課 主事 職位順 70 ← 999, 開始日 2026-05-01 ← 2026-04-01, 終了日 2027-03-31 ← なし",
        "- a 氏 a 兼務 会計課 主査 取消(2026-09-22から)",
    ]
    assert await personnel.terms("a") == [("main", "主事", "2026-05-01", "2027-03-31")]
    personnel.on(date(2026, 10, 1))
    told = await personnel.run(line("a", "主任", start="2026/10/1"))
    assert told[-2:] == ["+ a 氏 a 本務 総務課 主任 2026-10-01から", "- a 氏 a 本務 総務課 主事 2026-09-30まで"]
    assert await personnel.terms("a") == [
        ("main", "主事", "2026-05-01", "2026-09-30"),
        ("main", "主任", "2026-10-01", ""),
    ]


async def test_an_empty_first_day_leaves_the_servers_and_history_is_kept(personnel: Personnel) -> None:
    text = "\n".join([line("a", "主事"), line("a", "臨時職員", start="2020/4/1", end="2026/3/31")])
    await personnel.run(text)
    assert await personnel.terms("a") == [
        ("main", "臨時職員", "2020-04-01", "2026-03-31"),
        ("main", "主事", "2026-09-22", ""),
    ]
    personnel.on(date(2026, 12, 1))
    assert staff_report.lines(await personnel.plan(text), "ja")[-1] == "変更はありません"
    with pytest.raises(Problem) as problem:
        await personnel.plan(line("b", "主事", end="2026/11/30"))
    assert (problem.value.params["line"], problem.value.field) == (2, "終了日")


async def test_two_terms_that_differ_in_their_days_alone(personnel: Personnel) -> None:
    text = "\n".join(
        [line("a", "主事", start="2026/4/1", end="2027/3/31"), line("a", "主事", start="2027/4/1", end="2028/3/31")]
    )
    await personnel.run(text)
    assert staff_report.lines(await personnel.plan(text), "ja") == ["変更はありません"]
    turned = "\n".join(reversed(text.split("\n")))
    assert staff_report.lines(await personnel.plan(turned), "ja") == ["変更はありません"]
    assert len(await personnel.terms("a")) == 2


async def test_april_can_be_prepared_in_march(personnel: Personnel) -> None:
    await personnel.run(line("a", "主事", start="2026/4/1"))
    personnel.on(date(2027, 3, 20))
    await personnel.run(line("a", "主任", "会計課", start="2027/4/1"), APRIL)
    assert (await personnel.everybody())["a"].post == "主事"
    for option in ("disable_missing", "close_missing"):
        with pytest.raises(Problem) as problem:  # these would turn people away before their last day
            await personnel.plan(line("a", "主任", start="2027/4/1"), APRIL, **{option: True})
        assert (problem.value.fault.code, problem.value.field) == (2001, "as_of")
    personnel.on(APRIL)
    assert (await personnel.everybody())["a"].post == "主任"
    text = line("a", "主任", "会計課", start="2027/4/1")
    assert staff_report.lines(await personnel.plan(text), "ja")[-1] == "変更はありません"


async def test_people_who_are_not_in_the_file(personnel: Personnel) -> None:
    town = personnel.town
    await personnel.run("\n".join([line("a", "主事"), line("b", "主事")]))
    hashed = await town.passwords.hash("みどりの町の長い合言葉")
    staff = await personnel.everybody()
    await town.storage.write(
        lambda tx: tx.run("UPDATE users SET password_hash = ? WHERE id = ?", hashed, staff["b"].user_id)
    )
    await town.add_user("guest", kind="guest", ends_at=town.clock.at + 10**10)
    await town.add_user("bot", kind="bot")
    session = await town.session("b")
    told = await personnel.run(line("a", "主事"))
    assert told == ["! b 氏 b 名簿にない職員(そのままにします。停止するには --disable-missing)"]
    await town.actor(session)
    personnel.on(date(2026, 10, 1))
    told = await personnel.run(line("a", "主事"), disable_missing=True)
    assert told == ["- b 氏 b 名簿にない職員(停止します)", "- b 氏 b 本務 総務課 主事 2026-09-30まで"]
    assert set(await personnel.everybody()) == {"a", "guest", "bot"}
    with pytest.raises(Problem):
        await town.actor(session)


async def test_a_login_of_somebody_who_left_is_somebody_else_unless_they_return(personnel: Personnel) -> None:
    town = personnel.town
    await personnel.run("\n".join([line("hirano", "主事"), line("sone", "主事")]))
    old = await personnel.everybody()
    for login in ("hirano", "sone"):
        await town.storage.write(partial(accounts.disable, who=Operator(town.org_id), user=old[login].id))
    text = "\n".join([line("hirano", "主任"), line("sone", "主任")])
    told = await personnel.run(text, returning=frozenset({"sone"}))
    assert any(one.startswith("! hirano 氏 hirano 同じログイン名の停止中の職員がいます") for one in told)
    assert "~ sone 氏 sone 停止中のアカウントを再開します" in told
    new = await personnel.everybody()
    assert new["hirano"].id != old["hirano"].id
    assert new["sone"].id == old["sone"].id
    again = await personnel.plan(text, returning=frozenset({"sone"}))
    assert staff_report.lines(again, "ja") == ["変更はありません"]
    with pytest.raises(Problem) as problem:
        await personnel.plan(text, returning=frozenset({"nobody"}))
    assert (problem.value.fault.code, problem.value.field) == (2001, "returning")


async def test_a_guests_login_is_refused(personnel: Personnel) -> None:
    await personnel.town.add_user("vendor", kind="guest", ends_at=1 << 60)
    with pytest.raises(Problem) as problem:
        await personnel.plan(line("vendor", "主事"))
    assert (problem.value.params["line"], problem.value.field) == (2, "ログイン名")


async def test_another_organization_is_not_touched(personnel: Personnel) -> None:
    town = personnel.town
    other = await town.storage.write(lambda tx: organizations.create(tx, "other", "別の町"))

    async def theirs(tx: Tx) -> int:
        place = await departments.insert(tx, "d" * 26, other, None, "1", "別の課", 1)
        user_id = await people.insert(tx, NewUser("u" * 26, other, "member", "a", "別 人", "べつ じん"))
        await departments.appoint(tx, other, user_id, place, "main", "課長", 20, 0, None)
        return user_id

    await town.storage.write(theirs)
    told = await personnel.run(line("a", "長", "甲", code="1"), close_missing=True, disable_missing=True)
    assert told[0] == "+ 1 甲"
    [stranger] = await town.storage.read(lambda r: people.of_organization(r, other))
    assert (stranger.name, stranger.department, stranger.disabled_at) == ("別 人", "別の課", None)


async def test_an_interrupted_import_is_repeated(personnel: Personnel) -> None:
    """After any number of steps: the same import again leaves what one uninterrupted import leaves."""
    text = "\n".join(
        [line(f"u{n}", "主事", f"部{n % 3}/課{n % 7}", start="2026/4/1") for n in range(12)]
        + [line("u0", "主幹", "室", kind="兼務")]
    )
    town, stop = personnel.town, 0

    class Interrupted(Exception):
        pass

    while True:
        stop += 1
        done = 0
        org_id = await town.storage.write(partial(organizations.create, code=f"org{stop}", name="x"))
        real_write = town.storage.write

        async def write(use_case: Step, *, org_id: int = 0, limit: int = stop, real: Any = real_write) -> Any:
            nonlocal done
            done += 1
            if done > limit:
                raise Interrupted
            return await real(use_case, org_id=org_id)

        office = Personnel(Town(**{**vars(town), "org_id": org_id, "notes": []}))
        difference = await office.plan(text)
        town.storage.write = write  # type: ignore[method-assign]
        try:
            await staff_apply.apply(town.storage, Operator(org_id), difference)
            interrupted = False
        except Interrupted:
            interrupted = True
        finally:
            town.storage.write = real_write  # type: ignore[method-assign]
        version = await _version(town, org_id)
        told = await office.run(text)
        assert bool(told) == interrupted
        assert len(await office.everybody()) == 12
        assert len(set((await office.paths()).values())) == len(await office.paths()) == 16
        assert await office.terms("u0") == [
            ("main", "主事", "2026-04-01", ""),
            ("concurrent", "主幹", "2026-09-22", ""),
        ]
        assert staff_report.lines(await office.plan(text), "ja") == ["変更はありません"]
        if interrupted:
            assert await _version(town, org_id) == version + 1
        else:
            break
    assert stop >= 13


async def _version(town: Town, org_id: int) -> int:
    row = await town.storage.read(lambda r: r.one("SELECT directory_version FROM organizations WHERE id = ?", org_id))
    assert row is not None
    return int(row[0])


async def test_somebody_else_changing_the_same_person_is_noticed(personnel: Personnel) -> None:
    await personnel.run(line("a", "主事"))
    difference = await personnel.plan(line("a", "主任"))
    await personnel.run(line("a", "主幹"))
    with pytest.raises(Problem) as problem:
        await staff_apply.apply(personnel.town.storage, Operator(personnel.town.org_id), difference)
    assert problem.value.fault.code == 8006
    assert [post for _, post, *_ in await personnel.terms("a")] == ["主幹"]


async def test_one_import_is_one_outbox_row(personnel: Personnel) -> None:
    await personnel.run(sample("staff-utf8.csv"))
    row = await personnel.town.storage.read(lambda r: r.one("SELECT count(*) FROM outbox WHERE kind = 'directory'"))
    assert row is not None
    assert row[0] == 1


async def test_seven_thousand_lines(personnel: Personnel) -> None:
    """Plans in a few seconds, and the writer is never held: others write in between."""
    text = "\n".join(
        line(f"u{n}", "主事", f"部{n % 10}/課{n % 100}/係{n % 500}", order=str(n % 500 + 1), start="2026/4/1")
        for n in range(7_000)
    )
    begun = time.process_time()  # its own, not that of what runs beside it
    difference = await personnel.plan(text)
    assert time.process_time() - begun < 5
    longest = await _longest_wait_during(personnel, difference)
    assert longest < 2.0
    begun = time.process_time()
    assert (await personnel.plan(text)).empty()
    assert time.process_time() - begun < 5


async def _longest_wait_during(personnel: Personnel, difference: Difference) -> float:
    town = personnel.town
    longest = 0.0
    working = asyncio.create_task(staff_apply.apply(town.storage, Operator(town.org_id), difference))
    while not working.done():
        begun = time.perf_counter()
        await town.storage.write(lambda tx: directory.changed(tx, town.org_id), org_id=town.org_id)
        longest = max(longest, time.perf_counter() - begun)
    await working
    return longest


async def test_the_operation(personnel: Personnel) -> None:
    town = personnel.town
    deps = Deps(town.storage, town.passwords, town.clock, town.keys)
    run = OPERATIONS["staff.import"].run
    content = b64encode(sample("staff-cp932.csv")).decode()
    asked: dict[str, Any] = {"organization": "midorino", "content": content}
    dry = await run(deps, {**asked, "dry_run": True})
    assert dry["applied"] is False
    assert dry["counts"]["people"] == {"added": 13, "changed": 0, "disabled": 0}
    assert await personnel.everybody() == {}
    done = await run(deps, {**asked, "as_of": "2026-09-22"})
    assert done == {**dry, "applied": True}
    assert len(await personnel.everybody()) == 13
    again = await run(deps, asked)
    assert again["lines"]["ja"] == ["読まない列: 備考", "変更はありません"]
    wrongs: list[tuple[str, Any]] = [("content", "あ"), ("as_of", "いつか"), ("encoding", "latin-1"), ("dryrun", True)]
    for field, value in wrongs:
        with pytest.raises(Problem) as problem:
            await run(deps, {**asked, field: value})
        assert (problem.value.fault.code, problem.value.field) == (2001, field)


@given(st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_any_two_files_one_after_the_other(personnel: Personnel, data: st.DataObject) -> None:
    """Whatever was there before: after an import, the same file again changes nothing."""
    town = personnel.town
    personnel.on(DAY)
    org_id = await town.storage.write(
        lambda tx: organizations.create(tx, f"p{time.monotonic_ns()}", "x")
    )  # fmt: skip
    office = Personnel(Town(**{**vars(town), "org_id": org_id, "notes": []}))
    name = st.sampled_from("甲乙丙")
    department = st.tuples(st.lists(name, min_size=1, max_size=3).map("/".join), st.sampled_from(["", "1", "2", "3"]))
    one = st.tuples(
        st.sampled_from("abc"), department, st.sampled_from(["主事", "主任"]), st.sampled_from(["兼務", "併任", "本務", "会計年度任用"]),
        st.sampled_from(["", "2026/4/1", "2026/9/22", "2027/1/1"]), st.sampled_from(["", "2026/9/21", "2027/3/31"]),
        st.sampled_from(["", "1", "2"]),
    )  # fmt: skip
    for day in (DAY, date(2026, 9, 23)):
        personnel.on(day)
        rows = data.draw(st.lists(one, max_size=6))
        text = "\n".join(
            line(login, post, path, code=code, kind=kind, start=start, end=end, order=order)
            for login, (path, code), post, kind, start, end, order in rows
        )
        options: dict[str, Any] = {
            "close_missing": data.draw(st.booleans()),
            "disable_missing": data.draw(st.booleans()),
        }
        try:
            await office.run(text, **options)
        except Problem as problem:
            if problem.fault.code != 6006:
                raise
            continue
        left = await office.plan(text, **options)
        assert left.empty(), staff_report.lines(left, "en")
