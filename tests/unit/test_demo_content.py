"""The demonstration's data is consistent: nobody speaks in a room they are not in, nothing refers to nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from chat_server.demo import draw, script, story
from chat_server.demo.dates import JAPAN, Calendar, begins, japanese, millis
from chat_server.domain import limits

# A Wednesday at noon, a Sunday morning, 1 April before dawn, New Year's Eve, 10:00 sharp, in Japan.
MOMENTS = [
    datetime(2026, 11, 18, 12, 0, tzinfo=JAPAN),
    datetime(2026, 11, 22, 11, 14, tzinfo=JAPAN),
    datetime(2027, 4, 1, 3, 0, tzinfo=JAPAN),
    datetime(2027, 12, 31, 23, 59, tzinfo=JAPAN),
    datetime(2026, 6, 8, 10, 0, tzinfo=JAPAN),
]
READING = re.compile(r"^[ぁ-ゖー]+ [ぁ-ゖー]+$")
HOME = "midorino"


def logins(organization: str) -> set[str]:
    calendar = Calendar(date(2026, 11, 18))
    found = {row["ログイン名"] for row in script.staff(organization, calendar)}
    guests = next(each.guest for each in script.cast().organization if each.code == organization)
    return found | {guest.login for guest in guests}


def everyone() -> tuple[str, ...]:
    """The staff of the city, as `load` gives it to the plan."""
    rows = script.staff(HOME, Calendar(date(2026, 11, 18)))
    return tuple(dict.fromkeys(row["ログイン名"] for row in rows))


def room_named(name: str) -> script.Room:
    return next(room for room in script.rooms() if room.name == name)


def told(now: datetime) -> list[story.Moment]:
    return story.plan(millis(now), everyone())


def known(login: str) -> bool:
    organization, _, name = login.rpartition(":")
    return name in logins(organization or HOME)


# People


def test_staff_is_about_sixty_with_concurrent_posts_and_year_long_ones() -> None:
    rows = script.staff(HOME, Calendar(date(2026, 11, 18)))
    assert 60 <= len({row["ログイン名"] for row in rows}) <= 70
    kinds = {row["任用区分"] for row in rows}
    assert kinds == {"本務", "兼務", "併任", "会計年度任用"}
    assert {row["終了日"] for row in rows if row["任用区分"] == "会計年度任用"} == {"2027-03-31"}
    assert sum(bool(row["旧姓"]) for row in rows) >= 1


@pytest.mark.parametrize("organization", ["midorino", "kazamihara"])
def test_every_row_can_be_imported(organization: str) -> None:
    rows = script.staff(organization, Calendar(date(2026, 11, 18)))
    names: dict[str, tuple[str, str, str]] = {}
    codes: dict[str, str] = {}
    for row in rows:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,31}", row["ログイン名"])
        assert READING.match(row["ふりがな"]), row
        assert row["氏名"].count(" ") == 1, row
        person = (row["氏名"], row["ふりがな"], row["旧姓"])
        assert names.setdefault(row["ログイン名"], person) == person, row
        assert codes.setdefault(row["所属コード"], row["所属"]) == row["所属"], row
        assert 1 <= int(row["職位順"]) <= 999
        assert int(row["建制順"]) >= 0
        assert row["職"]
    assert len(set(codes.values())) == len(codes)
    assert len({name for name, _, _ in names.values()}) == len(names)


def test_nobody_has_two_main_appointments_at_once() -> None:
    for organization in ("midorino", "kazamihara"):
        spans: dict[str, list[tuple[date, date]]] = {}
        for row in script.staff(organization, Calendar(date(2026, 11, 18))):
            if row["任用区分"] in ("本務", "会計年度任用"):
                first = date.fromisoformat(row["開始日"])
                last = date.fromisoformat(row["終了日"]) if row["終了日"] else date.max
                for other in spans.setdefault(row["ログイン名"], []):
                    assert last < other[0] or other[1] < first, row
                spans[row["ログイン名"]].append((first, last))


@pytest.mark.parametrize("now", MOMENTS)
def test_everybody_has_a_post_on_every_day_of_the_story(now: datetime) -> None:
    calendar = Calendar.at(millis(now))
    posts: dict[str, list[tuple[int, int]]] = {}
    for organization in ("midorino", "kazamihara"):
        prefix = "" if organization == HOME else f"{organization}:"
        for row in script.staff(organization, calendar):
            last = date.fromisoformat(row["終了日"]) if row["終了日"] else date(2100, 1, 1)
            span = (begins(date.fromisoformat(row["開始日"])), begins(last + timedelta(days=1)))
            posts.setdefault(prefix + row["ログイン名"], []).append(span)
    guests = {guest.login for organization in script.cast().organization for guest in organization.guest}
    recent = millis(now - timedelta(days=30))
    for moment in told(now):
        if isinstance(moment.act, story.Say) and moment.act.by not in guests and moment.at > recent:
            assert any(first <= moment.at < end for first, end in posts[moment.act.by]), moment


def test_guests_have_a_sponsor_and_an_end() -> None:
    calendar = Calendar(date(2026, 11, 18))
    for organization in script.cast().organization:
        staff = {row["ログイン名"] for row in script.staff(organization.code, calendar)}
        for guest in organization.guest:
            assert guest.sponsor in staff
            assert guest.login not in staff
            assert READING.match(guest.reading)
            assert calendar.fiscal_date(guest.last_day) == date(2027, 3, 31)


def test_roles_and_sign_ins_belong_to_somebody() -> None:
    cast = script.cast()
    for organization in cast.organization:
        assert set(organization.roles) <= logins(organization.code)
        assert organization.roles[organization.administrator] == "organization_admin"
    assert [sign_in.login for sign_in in cast.sign_in] == ["takahashi", "tanaka", "yamazaki"]
    assert {sign_in.login for sign_in in cast.sign_in} <= logins(HOME)
    assert len(cast.password) >= limits.PASSWORD_CHARS


# Rooms


def test_every_kind_of_room_is_there() -> None:
    rooms = script.rooms()
    assert {room.kind for room in rooms} == {"private", "open", "announcement", "direct", "memo"}
    assert any(room.shared_with for room in rooms)
    assert any(room.archived_after is not None for room in rooms)
    assert any(room.history == "joined" for room in rooms)
    assert len(rooms) >= 12
    assert 250 <= sum(len(day.messages) for room in rooms for day in room.day) <= 400
    assert max(sum(len(day.messages) for day in room.day) for room in rooms) > 120


def test_names_and_topics_fit() -> None:
    for room in script.rooms():
        if room.kind in ("direct", "memo"):
            assert not room.name
            assert len(room.members.split()) == (2 if room.kind == "direct" else 1)
        else:
            assert 1 <= len(room.name) <= limits.NAME_CHARS
            assert room.owners.split()
        assert len(room.topic) <= limits.TOPIC_CHARS


def test_members_exist_and_only_members_act() -> None:
    for room in script.rooms():
        members = story.people(room, everyone())
        assert all(known(login) for login in members), room.name
        listed = [*room.owners.split(), *room.members.split()]
        assert len(listed) == len(set(listed)), room.name
        assert set(room.unread) <= set(members), room.name
        involved = " ".join(room.involvement.values()).split()
        assert set(involved) <= set(members)
        for spoken in (spoken for day in room.day for spoken in day.messages):
            given = " ".join(spoken.react.values()).split()
            marks = [spoken.pin, spoken.redacted]
            actors = [spoken.by, *given, *spoken.bookmark.split(), *(mark.by for mark in marks if mark and mark.by)]
            assert set(actors) <= set(members), spoken
            for key, who in spoken.react.items():
                assert len(who.split()) == len(set(who.split())), (spoken, key)
                assert len(script.REACTIONS.get(key, key)) <= limits.REACTION_CHARS


def test_only_owners_write_announcements() -> None:
    for room in script.rooms():
        if room.kind == "announcement":
            for spoken in (spoken for day in room.day for spoken in day.messages):
                assert spoken.by in room.owners.split(), spoken
                assert spoken.pin is None or (spoken.pin.by or spoken.by) in room.owners.split()


def test_whoever_redacts_for_others_owns_the_room() -> None:
    for room in script.rooms():
        for spoken in (spoken for day in room.day for spoken in day.messages):
            if spoken.redacted and spoken.redacted.by not in (None, spoken.by):
                assert spoken.redacted.by in room.owners.split(), spoken


def test_mentions_name_members_of_the_room() -> None:
    calendar = Calendar(date(2026, 11, 18))
    sections: dict[str, set[str]] = {}
    for row in script.staff(HOME, calendar):
        sections.setdefault(row["ログイン名"], set()).add(row["所属"])
    paths = {row["所属コード"]: row["所属"] for row in script.staff(HOME, calendar)}
    kinds = set()
    for room in script.rooms():
        members = story.people(room, everyone())
        for spoken in (spoken for day in room.day for spoken in day.messages):
            for is_department, name in story.MENTION.findall(spoken.text):
                if is_department:
                    kinds.add("department")
                    inside = [who for who in members for path in sections.get(who, ()) if path.startswith(paths[name])]
                    assert inside, spoken
                elif name == "everyone":
                    kinds.add("everyone")
                else:
                    kinds.add("person")
                    assert name in members, spoken
                    assert name != spoken.by, spoken
    assert kinds == {"person", "department", "everyone"}


def test_what_a_messenger_can_do_is_shown() -> None:
    spoken = [spoken for room in script.rooms() for day in room.day for spoken in day.messages]
    assert any(each.edited for each in spoken)
    assert any(each.redacted for each in spoken)
    assert any(each.cancelled for each in spoken)
    assert any(each.pin for each in spoken)
    assert any(each.bookmark for each in spoken)
    assert any(each.quote for each in spoken)
    assert any(len(each.photos.split()) >= 3 for each in spoken)
    given = {script.REACTIONS.get(key, key) for each in spoken for key in each.react}
    assert set(script.REACTIONS.values()) <= given


def test_nothing_happens_to_a_message_that_is_gone() -> None:
    for spoken in (spoken for room in script.rooms() for day in room.day for spoken in day.messages):
        if spoken.redacted or spoken.cancelled:
            later = [spoken.react, spoken.pin, spoken.bookmark, spoken.edited, spoken.photos]
            assert not any(later), spoken
        if spoken.cancelled:
            assert spoken.cancelled.by is None


def test_read_markers_can_stand_where_the_script_says() -> None:
    for room in script.rooms():
        told = [spoken for day in sorted(room.day, key=lambda day: -day.ago) for spoken in day.messages]
        for login, behind in room.unread.items():
            tail = 0
            for spoken in reversed(told):
                if tail == behind:
                    break
                assert spoken.by != login, (room.name, login, "wrote after what they have not read")
                tail += not (spoken.redacted or spoken.cancelled)
            assert tail == behind, (room.name, login)


def test_each_sign_in_has_unread_messages_and_the_desk_is_mentioned() -> None:
    for sign_in in script.cast().sign_in:
        assert any(room.unread.get(sign_in.login) for room in script.rooms()), sign_in
    mentioned = 0
    for room in script.rooms():
        behind = room.unread.get("tanaka", 0)
        told = [spoken for day in sorted(room.day, key=lambda day: -day.ago) for spoken in day.messages]
        for spoken in told[len(told) - behind :]:
            mentioned += "<@tanaka>" in spoken.text or "<@everyone>" in spoken.text
    assert mentioned >= 2


# Times


@pytest.mark.parametrize("now", MOMENTS)
def test_the_plan_is_in_order_and_never_in_the_future(now: datetime) -> None:
    moments = told(now)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert moments[-1].at <= millis(now)
    said = [moment.at for moment in moments if isinstance(moment.act, story.Say)]
    assert millis(now) - said[-1] < timedelta(days=1, hours=1) / timedelta(milliseconds=1)


@pytest.mark.parametrize("now", MOMENTS)
def test_a_room_is_told_in_the_order_of_its_file(now: datetime) -> None:
    plan = told(now)
    for number, room in enumerate(script.rooms()):
        ago = [day.ago for day in room.day]
        assert ago == sorted(ago, reverse=True), room.name
        said = [moment.at for moment in plan if isinstance(moment.act, story.Say) and moment.act.room == number]
        assert len(said) == sum(len(day.messages) for day in room.day)
        calendar = Calendar.at(millis(now))
        written = [calendar.moment(room.calendar, day.ago, spoken.at) for day in room.day for spoken in day.messages]
        assert written == sorted(set(written)), (room.name, "two messages at once, or out of order")
        assert said == written


@pytest.mark.parametrize("now", MOMENTS)
def test_acts_come_after_what_they_refer_to(now: datetime) -> None:
    rooms: set[int] = set()
    messages: dict[str, int] = {}
    inside: dict[int, set[str]] = {}
    for moment in told(now):
        act = moment.act
        if isinstance(act, story.Open):
            rooms.add(act.room)
            late = {join.who for day in act.script.day for join in day.joins}
            inside[act.room] = set(story.people(act.script, everyone())) - late
            continue
        if isinstance(act, story.Enter):
            assert act.by in inside[act.room]
            inside[act.room].add(act.who)
            continue
        if isinstance(act, story.Say):
            assert act.room in rooms
            assert act.by in inside[act.room], act
            assert act.quote is None or messages[act.quote] == act.room, act
            assert act.message not in messages
            messages[act.message] = act.room
        elif isinstance(act, story.Involved | story.Archive):
            assert act.by in inside[act.room]
        else:
            assert act.by in inside[messages[act.message]], act


def test_storm_days_follow_each_other_and_offices_rest_at_the_weekend() -> None:
    sunday = Calendar(date(2026, 11, 22))
    assert [sunday.day("storm", ago).day for ago in range(6)] == [22, 21, 20, 19, 18, 17]
    assert [sunday.day("office", ago).day for ago in range(4)] == [20, 19, 18, 17]
    monday = Calendar(date(2026, 11, 16))
    assert [monday.day("storm", ago).day for ago in range(6)] == [16, 15, 14, 13, 12, 11]
    assert [monday.day("office", ago).day for ago in range(3)] == [16, 13, 12]


def test_before_ten_in_japan_the_story_ends_yesterday() -> None:
    assert Calendar.at(millis(datetime(2026, 11, 18, 0, 59, tzinfo=UTC))).today == date(2026, 11, 17)
    assert Calendar.at(millis(datetime(2026, 11, 18, 1, 0, tzinfo=UTC))).today == date(2026, 11, 18)


def test_dates_in_texts_are_filled_in() -> None:
    calendar = Calendar(date(2026, 11, 20))
    text = calendar.fill("office", "{1日前}から{0日前}、{3日後}、{1平日後}")
    assert text == "11月19日(木)から11月20日(金)、11月23日(月)、11月23日(月)"
    for moment in told(MOMENTS[1]):
        if isinstance(moment.act, story.Say | story.Rewrite):
            assert "{" not in moment.act.text, moment.act.text
    assert japanese(begins(date(2026, 4, 1))).isoformat() == "2026-04-01T00:00:00+09:00"


# Who is at work while it runs


def test_colleagues_are_nobody_that_a_visitor_could_be_and_every_visitor_has_one_to_write_to() -> None:
    colleagues = {colleague.login for colleague in script.office().colleague}
    visitors = {sign_in.login for sign_in in script.cast().sign_in}
    assert not colleagues & visitors
    assert colleagues <= logins(HOME)
    for visitor in visitors:
        direct = [set(room.members.split()) - {visitor} for room in script.rooms() if room.kind == "direct"]
        assert any({colleague} in direct for colleague in colleagues), visitor
    roadside = script.office().roadside
    assert roadside.by in colleagues
    assert {roadside.by, "takahashi", "tanaka"} <= set(story.people(room_named(roadside.room), everyone()))


@pytest.mark.parametrize(
    ("text", "photos", "reaction", "answer"),
    [
        ("現場に着きました。", False, "確認しました", "確認しました"),
        ("現場に着きました。ご確認をお願いします。", True, "確認しました", "写真"),
        ("明日の集合は何時ですか。", False, "承知しました", "お返事|折り返し"),
        ("至急、通行止めの手配をお願いします。", False, "対応します", "承知しました"),
        ("ありがとうございました。", False, "ありがとうございます", "こちらこそ|お疲れさま"),
        ("テスト", False, "ありがとうございます", "お疲れさま"),
        ("Hello", False, "ありがとうございます", "お疲れさま"),
        ("", True, "確認しました", "写真"),
    ],
)
def test_messages_are_taken_as_they_are_meant(text: str, photos: bool, reaction: str, answer: str) -> None:
    taken = script.office().taking(text, photos)
    assert script.REACTIONS[taken.react] == reaction
    assert all(re.search(answer, each) for each in taken.texts)


# Language and photos


def test_a_superior_is_not_answered_casually() -> None:
    told = [spoken.text for room in script.rooms() for day in room.day for spoken in day.messages]
    living = [text for manner in script.office().manner for text in manner.texts]
    for text in (*told, *living, script.office().roadside.text):
        for casual in ("了解", "りょ", "OK", "!", "！", "催促", "笑"):
            assert casual not in text, text
        assert not re.search(r"<@[^>]+>\s*(さん|様)", text), "the page adds さん"


def test_photos_that_are_shown_are_drawn_and_the_other_way_round() -> None:
    spoken = [spoken for room in script.rooms() for day in room.day for spoken in day.messages]
    shown = [name for each in spoken for name in each.photos.split()] + [script.office().roadside.photo]
    assert sorted(shown) == sorted(draw.SHOTS)
    assert sorted(name for names, _ in draw.SCENES for name in names) == sorted(draw.SHOTS)
    assert {shot.orientation for shot in draw.SHOTS.values()} == {1, 3, 6, 8}
    assert {shot.offset for shot in draw.SHOTS.values()} == {True, False}
    assert {shot.place is None for shot in draw.SHOTS.values()} == {True, False}
