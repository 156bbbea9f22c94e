"""The directory: the order of a town hall, what one may see, search in Japanese, pages (security.md 13 and 16)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.domain.ids import new_id
from chat_server.ports import Tx
from chat_server.services import cursors, directory, kana, organizations, rooms, sharing
from chat_server.services.people import wire_people, wire_person
from chat_server.services.rooms import Invitation, NewRoom
from chat_server.storage.queries import departments, people
from chat_server.storage.queries.people import NewUser
from tests.unit.people.conftest import NOW, Town, code


@dataclass
class Hall:
    """A town hall: 建設部/道路課/維持係 and 総務課, with people in them."""

    town: Town
    departments: dict[str, int]
    ids: dict[str, int]
    public: dict[str, str]

    async def actor(self, login: str) -> Actor:
        return await self.town.actor(await self.town.session(login))

    async def names(self, actor: Actor, *, department: str | None = None, q: str | None = None) -> list[str]:
        """Names of all pages of three."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page, cursor = await self.town.storage.read(
                partial(directory.people, actor=actor, department=department, q=q, cursor=cursor, limit=3)
            )
            assert len(page) <= 3
            found += [person["name"] for person in page]
            if cursor is None:
                return found

    async def department(self, name: str) -> str:
        row = await self.town.storage.read(
            lambda r: r.one("SELECT public_id FROM departments WHERE id = ?", self.departments[name])
        )
        assert row is not None
        return str(row[0])


PEOPLE = [
    # login, name, reading, former, kind, department, post, rank
    ("soumu", "阿部 一", "あべ はじめ", None, "main", "総務課", "課長", 20),
    ("kensetsu", "渡辺 茂", "わたなべ しげる", None, "main", "建設部", "部長", 10),
    ("doro", "伊藤 誠", "いとう まこと", None, "main", "道路課", "課長", 20),
    ("iji1", "髙橋 健", "たかはし けん", None, "main", "維持係", "係長", 40),
    ("iji2", "青木 愛", "あおき あい", "佐々木", "main", "維持係", "主事", 70),
    ("iji3", "ｱﾝ ﾏｲｹﾙ", "あん まいける", None, "annual", "維持係", "会計年度任用職員", 70),
]


@pytest.fixture
async def hall(town: Town) -> Hall:
    hashed = await town.passwords.hash("みどりの町の長い合言葉")

    async def build(tx: Tx) -> Hall:
        place: dict[str, int] = {}
        for position, (name, parent) in enumerate(
            [("総務課", None), ("建設部", None), ("道路課", "建設部"), ("維持係", "道路課"), ("会計課", None)]
        ):
            place[name] = await departments.insert(
                tx, new_id(tx.now), town.org_id, place[parent] if parent else None, f"c{position}", name, position * 10
            )
        ids, public = {}, {}
        for login, name, reading, former, kind, department, post, rank in PEOPLE:
            public[login] = new_id(tx.now)
            ids[login] = await people.insert(
                tx, NewUser(public[login], town.org_id, "member", login, name, reading, former, hashed)
            )
            await departments.appoint(tx, town.org_id, ids[login], place[department], kind, post, rank, 0, None)
        public["guest"] = new_id(tx.now)
        guest = NewUser(
            public["guest"], town.org_id, "guest", "guest", "業者 一郎", "", None, hashed, ids["doro"], NOW + limits.DAY
        )
        ids["guest"] = await people.insert(tx, guest)
        return Hall(town, place, ids, public)

    return await town.storage.write(build)


@pytest.fixture
async def neighbour(hall: Hall) -> Actor:
    """Somebody in another organization."""
    town = hall.town
    org_id = await town.storage.write(lambda tx: organizations.create(tx, "tonari", "となりの町"))
    await town.add_user("tonari", org_id=org_id, name="隣 花子", reading="となり はなこ")
    session = await town.session("tonari", "みどりの町の長い合言葉", organization="tonari")
    actor = await town.actor(session)
    await town.storage.write(lambda tx: people.grant(tx, org_id, actor.user_id, "organization_admin", 0))
    return await town.actor(session)


async def test_lists_stand_in_department_order_then_rank_then_reading(hall: Hall) -> None:
    """建制順, 職位順, ふりがな; never by kanji code. Who has no appointment comes last."""
    assert await hall.names(await hall.actor("doro")) == [
        "阿部 一", "渡辺 茂", "伊藤 誠", "髙橋 健", "青木 愛", "ｱﾝ ﾏｲｹﾙ", "業者 一郎",
    ]  # fmt: skip


async def test_a_department_is_shown_with_what_is_below_it_and_who_is_there_concurrently(hall: Hall) -> None:
    actor = await hall.actor("doro")
    assert await hall.names(actor, department=await hall.department("道路課")) == [
        "伊藤 誠",
        "髙橋 健",
        "青木 愛",
        "ｱﾝ ﾏｲｹﾙ",
    ]
    assert await hall.names(actor, department=await hall.department("会計課")) == []
    await hall.town.storage.write(
        lambda tx: departments.appoint(
            tx, actor.org_id, hall.ids["soumu"], hall.departments["維持係"], "concurrent", "主幹", 30, 0, None
        )
    )
    assert await hall.names(actor, department=await hall.department("維持係")) == [
        "阿部 一",
        "髙橋 健",
        "青木 愛",
        "ｱﾝ ﾏｲｹﾙ",
    ]
    assert len(await hall.names(actor)) == 7  # two posts are one person
    with pytest.raises(Problem) as problem:
        await hall.names(actor, department="0" * 26)
    assert code(problem) == 6008


async def test_the_wire_form_of_a_person(hall: Hall) -> None:
    found = await hall.town.storage.read(lambda r: wire_people(r, list(hall.ids.values())))
    assert found[hall.ids["iji1"]] == {
        "id": hall.public["iji1"], "name": "髙橋 健", "reading": "たかはし けん", "department": "道路課 維持係", "post": "係長",
        "kind": "member", "organization": "みどりの市",
    }  # fmt: skip
    assert found[hall.ids["doro"]]["department"] == "道路課"
    assert found[hall.ids["soumu"]]["department"] == "総務課"
    assert found[hall.ids["guest"]]["guest_of"] == "伊藤 誠"
    assert "guest_of" not in found[hall.ids["doro"]]
    assert await hall.town.storage.read(lambda r: wire_person(r, hall.ids["doro"])) == found[hall.ids["doro"]]


async def test_appointments_count_from_their_first_to_their_last_moment(hall: Hall) -> None:
    town, user_id = hall.town, hall.ids["iji2"]

    async def move(tx: Tx) -> None:
        await tx.run("UPDATE appointments SET ends_at = ? WHERE user_id = ?", NOW + 1000, user_id)
        await departments.appoint(
            tx, town.org_id, user_id, hall.departments["会計課"], "main", "主任", 60, NOW + 1000, None
        )

    await town.storage.write(move)
    for at, expected in [(NOW + 999, "道路課 維持係"), (NOW + 1000, "会計課")]:
        town.clock.at = at
        person = await town.storage.read(lambda r: wire_person(r, user_id))
        assert person["department"] == expected


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("髙橋", ["髙橋 健"]),
        ("高橋", ["髙橋 健"]),
        ("高橋健", ["髙橋 健"]),
        ("高橋　健", ["髙橋 健"]),
        ("タカハシ", ["髙橋 健"]),
        ("ﾀｶﾊｼ ｹﾝ", ["髙橋 健"]),
        ("たかはしけ", ["髙橋 健"]),
        ("渡邊", ["渡辺 茂"]),
        ("辺", ["渡辺 茂"]),
        ("佐々木", ["青木 愛"]),
        ("IJI2", ["青木 愛"]),
        ("ｉｊｉ", ["髙橋 健", "青木 愛", "ｱﾝ ﾏｲｹﾙ"]),
        ("ji1", []),
        ("木", ["青木 愛"]),
        ("マイケル", ["ｱﾝ ﾏｲｹﾙ"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("' OR 1=1 --", []),
        ('"', []),
        ("  ", ["阿部 一", "渡辺 茂", "伊藤 誠", "髙橋 健", "青木 愛", "ｱﾝ ﾏｲｹﾙ", "業者 一郎"]),
    ],
)
async def test_search(hall: Hall, q: str, found: list[str]) -> None:
    assert await hall.names(await hall.actor("doro"), q=q) == found


@pytest.mark.parametrize("q", ["あ" * 81, "\x00"])
async def test_a_search_that_is_refused(hall: Hall, q: str) -> None:
    actor = await hall.actor("doro")
    with pytest.raises(Problem) as problem:
        await hall.names(actor, q=q)
    assert (code(problem), problem.value.field) == (2001, "q")


async def test_disabled_and_ended_people_leave_the_list_but_not_their_messages(hall: Hall) -> None:
    actor = await hall.actor("doro")
    await hall.town.storage.write(lambda tx: people.disable(tx, actor.org_id, hall.ids["iji2"]))
    hall.town.clock.at += limits.DAY
    names = await hall.names(actor)
    assert "青木 愛" not in names
    assert "業者 一郎" not in names
    shown = await hall.town.storage.read(lambda r: directory.one(r, actor, hall.public["iji2"]))
    assert (shown["name"], shown["disabled"]) == ("青木 愛", True)


async def test_one_person_with_all_appointments_and_no_coming_ones(hall: Hall) -> None:
    """A transfer is not known before it is announced; administrators prepare it."""
    town, actor = hall.town, await hall.actor("doro")
    user_id = hall.ids["soumu"]

    async def appoint(tx: Tx) -> None:
        for kind, start, end in [("concurrent", 0, None), ("joint", 0, NOW), ("main", NOW + limits.DAY, None)]:
            await departments.appoint(
                tx, town.org_id, user_id, hall.departments["会計課"], kind, "主幹", 30, start, end
            )

    await town.storage.write(appoint)
    shown = await town.storage.read(lambda r: directory.one(r, actor, hall.public["soumu"]))
    assert [(one["kind"], one["department"]["name"], one["post"]) for one in shown["appointments"]] == [
        ("main", "総務課", "課長"),
        ("concurrent", "会計課", "主幹"),
    ]
    assert not {"login", "roles", "ends_at"} & set(shown)
    await town.storage.write(lambda tx: people.grant(tx, town.org_id, actor.user_id, "organization_admin", 0))
    shown = await town.storage.read(lambda r: directory.one(r, _admin(actor), hall.public["soumu"]))
    assert len(shown["appointments"]) == 4
    assert (shown["login"], shown["roles"]) == ("soumu", [])
    shown = await town.storage.read(lambda r: directory.one(r, actor, hall.public["iji2"]))
    assert shown["former_name"] == "佐々木"


def _admin(actor: Actor) -> Actor:
    return Actor(
        actor.user_id, actor.org_id, actor.device_id, actor.id, actor.device, actor.kind, actor.name, actor.zone,
        actor.address, frozenset({"organization_admin"}),
    )  # fmt: skip


async def test_the_tree_in_department_order(hall: Hall) -> None:
    actor = await hall.actor("doro")
    found = await hall.town.storage.read(lambda r: directory.tree(r, actor))
    assert [one["name"] for one in found["departments"]] == ["総務課", "建設部", "道路課", "維持係", "会計課"]
    by_name = {one["name"]: one for one in found["departments"]}
    assert by_name["維持係"]["parent"] == by_name["道路課"]["id"]
    assert by_name["総務課"]["parent"] is None
    version = await hall.town.storage.write(lambda tx: directory.changed(tx, actor.org_id))
    assert version == found["version"] + 1


async def test_a_guest_sees_the_people_of_their_rooms_and_nobody_else(hall: Hall) -> None:
    town = hall.town
    guest, host = await hall.actor("guest"), await hall.actor("doro")
    assert await hall.names(guest) == ["業者 一郎"]
    room = await town.storage.write(
        lambda tx: rooms.create(tx, host, NewRoom(kind="private", name="工事の打合せ", members=(hall.public["iji1"],)))
    )
    await town.storage.write(lambda tx: rooms.invite(tx, host, room, Invitation(users=(guest.id,), role="member")))
    assert await hall.names(guest) == ["伊藤 誠", "髙橋 健", "業者 一郎"]
    assert await hall.names(guest, q="阿部") == []
    assert await hall.names(guest, q="iji") == []  # logins are not for guests
    assert await hall.names(guest, q="たかはし") == ["髙橋 健"]
    assert (await town.storage.read(lambda r: directory.tree(r, guest)))["departments"] == []
    department = await hall.department("維持係")
    for use_case in (
        partial(directory.one, actor=guest, user=hall.public["soumu"]),
        partial(directory.people, actor=guest, department=department),
    ):
        with pytest.raises(Problem):
            await town.storage.read(use_case)
    assert await town.storage.read(lambda r: directory.one(r, guest, hall.public["iji1"]))
    await town.storage.write(lambda tx: rooms.remove(tx, host, room, guest.id))
    assert await hall.names(guest) == ["業者 一郎"]


async def test_another_organization_does_not_exist_until_a_room_is_shared(hall: Hall, neighbour: Actor) -> None:
    town, host = hall.town, await hall.actor("doro")
    await town.storage.write(lambda tx: people.grant(tx, town.org_id, host.user_id, "organization_admin", 0))
    host = _admin(host)
    assert await hall.names(neighbour) == ["隣 花子"]
    with pytest.raises(Problem) as problem:
        await town.storage.read(lambda r: directory.one(r, neighbour, host.id))
    assert code(problem) == 6001
    with pytest.raises(Problem) as problem:
        await hall.names(neighbour, department=await hall.department("維持係"))
    assert code(problem) == 6008

    room = await town.storage.write(lambda tx: rooms.create(tx, host, NewRoom(kind="private", name="広域の道路")))
    await town.storage.write(lambda tx: sharing.offer(tx, host, room, "tonari"))
    assert "隣 花子" not in await hall.names(host)
    await town.storage.write(lambda tx: sharing.open_side(tx, neighbour, room))
    assert await hall.names(neighbour) == ["隣 花子", "伊藤 誠"]  # one's own first
    assert (await hall.names(host))[-1] == "隣 花子"
    assert await hall.names(neighbour, q="iji") == []
    assert await hall.names(neighbour, q="doro") == []  # whom one may see, yet not by login
    shown = await town.storage.read(lambda r: directory.one(r, neighbour, host.id))
    assert (shown["organization"], "login" in shown) == ("みどりの市", False)
    with pytest.raises(Problem):
        await town.storage.read(lambda r: directory.one(r, neighbour, hall.public["iji1"]))


@pytest.mark.parametrize(
    "cursor", ["x", "", "AAAA", "あ", "gA", "=" * 9, cursors.encode([1, 2, 3, "x"]), cursors.encode([1, 2, 3, 4, 5])]
)
async def test_a_broken_cursor(hall: Hall, cursor: str) -> None:
    actor = await hall.actor("doro")
    if cursor == "":
        await hall.town.storage.read(lambda r: directory.people(r, actor, cursor=cursor))
        return
    with pytest.raises(Problem) as problem:
        await hall.town.storage.read(lambda r: directory.people(r, actor, cursor=cursor))
    assert (code(problem), problem.value.field) == (2001, "cursor")


@given(st.text(max_size=80))
@settings(deadline=None)
def test_no_cursor_crashes(text: str) -> None:
    try:
        cursors.decode(text, int, str)
    except Problem as problem:
        if problem.fault.code != 2001:
            raise


@given(st.lists(st.integers(-(1 << 63) + 1, (1 << 63) - 1) | st.text(max_size=20), max_size=5))
@settings(deadline=None)
def test_cursors_come_back_as_they_were(keys: list[int | str]) -> None:
    assert cursors.decode(cursors.encode(keys), *(type(key) for key in keys)) == keys


@given(st.text(alphabet=st.characters(min_codepoint=0x3041, max_codepoint=0x30FF), max_size=20))
@settings(max_examples=50, deadline=None)
def test_readings_are_hiragana_whatever_is_typed(text: str) -> None:
    try:
        kept = kana.reading(text)
    except Problem:
        return
    assert kana.reading(kept) == kept
    assert not any("ァ" <= c <= "ヶ" for c in kept)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ﾀｶﾊｼ　ｹﾝ", "たかはし けん"),
        ("か\u3099いと", "がいと"),
        ("ヴァン", "ゔぁん"),
        ("こーへい", "こーへい"),
        (" あ  い ", "あ い"),
    ],
)
def test_readings(typed: str, kept: str) -> None:
    assert kana.reading(typed) == kept


def test_variants_lead_to_one_form() -> None:
    for other, plain in kana.VARIANTS.items():
        assert plain not in kana.VARIANTS
        assert kana.plain_kanji(other) == plain
    assert ("髙", "高") in kana.forms_of("高橋")
    assert ("\uf9dc", "隆") in kana.forms_of("隆")


async def test_seven_thousand_people_are_listed_and_searched_quickly(hall: Hall) -> None:
    """Not a benchmark: a bound that a missing index would break by far. Medians, because the machine is shared."""
    town, actor = hall.town, await hall.actor("doro")
    places = list(hall.departments.values())

    async def crowd(tx: Tx, begin: int = 0) -> None:
        for n in range(begin, begin + 1000):
            new = NewUser(
                new_id(tx.now), town.org_id, "member", f"crowd{n}", f"髙田 {n}", "たかだ" + "あいうえお"[n % 5]
            )
            user_id = await people.insert(tx, new)
            await departments.appoint(tx, town.org_id, user_id, places[n % 5], "main", "主事", 70, 0, None)

    for begin in range(0, 7000, 1000):
        await town.storage.write(partial(crowd, begin=begin))
    times = []
    for q in (None, "高田", "高田 6999", "おお", None):
        begun = time.perf_counter()
        page, _ = await town.storage.read(partial(directory.people, actor=actor, q=q, limit=50))
        times.append(time.perf_counter() - begun)
        assert len(page) == {None: 50, "高田": 50, "高田 6999": 1, "おお": 0}[q]
        await asyncio.sleep(0)
    assert sorted(times)[2] < 1.0
