"""What is pushed to the page's service worker, in a real Chromium: shown, led to the message, and taken away again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Worker, expect

from tests.browser.conftest import Enter, Hand, Person, Stage
from tests.browser.device import page_is_kept, stored, until
from tests.browser.process import Server

WHOLE_BROWSER = True


class Pushes:
    """The push service's end: hands the worker what it says, past the network."""

    def __init__(self, page: Page, base: str) -> None:
        page_is_kept(page)
        self.page, self.base = page, base
        self.cdp = page.context.new_cdp_session(page)
        self.registrations: list[str] = []
        self.cdp.on("ServiceWorker.workerRegistrationUpdated", self._known)
        self.cdp.send("ServiceWorker.enable")
        until(page, "async () => (await navigator.serviceWorker.ready).active?.state === 'activated'")
        while not self.registrations:  # the event comes with the next turn of Playwright's loop
            page.evaluate("0")
        self.worker: Worker = page.context.service_workers[0]

    def _known(self, event: Any) -> None:
        self.registrations += [one["registrationId"] for one in event["registrations"] if not one["isDeleted"]]

    def push(self, *all_said: Any) -> None:
        """At once, and until the worker is done with them. Chromium drops a notification that is just being shown while a page asks
        which ones stand there: whoever asks from the beginning, again and again, has none at all now and then."""
        self.page.evaluate(
            """(left) => void (window.handled = new Promise((done, failed) => {
                navigator.serviceWorker.addEventListener('message', ({ data }) => {
                    if (data?.pushed !== undefined && --left === 0) done()
                })
                setTimeout(() => failed(new Error('the worker did not say that it has the pushes')), 40_000)
            }))""",
            len(all_said),
        )
        for said in all_said:
            data = said if isinstance(said, str) else json.dumps(said)
            known = {"origin": self.base, "registrationId": self.registrations[-1], "data": data}
            self.cdp.send("ServiceWorker.deliverPushMessage", known)
        self.page.evaluate("window.handled")

    def shown(self) -> list[Any]:
        """(title, body, data) of what stands on the screen."""
        return list(
            self.page.evaluate(
                """async () => (await (await navigator.serviceWorker.ready).getNotifications())
                .map(({ title, body, data }) => [title, body, data])"""
            )
        )

    def shows(self, count: int) -> list[Any]:
        """Waits until so many are shown."""
        until(
            self.page,
            "async (count) => (await (await navigator.serviceWorker.ready).getNotifications()).length === count",
            count,
        )
        return self.shown()

    def click(self) -> None:
        """As a person taps the one notification that is shown."""
        self.worker.evaluate(
            """async () => {
                const [notification] = await self.registration.getNotifications()
                self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
            }"""
        )


@pytest.fixture
def phone(enter: Enter) -> Person:
    return enter("tanaka", service_workers="allow", permissions=["notifications"])


def test_every_push_is_shown_and_one_for_a_room(phone: Person, server: Server) -> None:
    pushes = Pushes(phone.page, server.base)
    pushes.push(
        {"v": 1, "id": "a" * 26, "kind": "ring", "room": "r1", "seq": 4, "title": "道路課", "body": "新しいメッセージ"}
    )
    assert pushes.shows(1) == [["道路課", "新しいメッセージ", {"room": "r1", "seq": 4}]]
    pushes.push(
        {"v": 1, "id": "b" * 26, "kind": "ring", "room": "r1", "seq": 5, "title": "道路課", "body": "次のメッセージ"}
    )
    until(
        phone.page,
        """async () => (await (await navigator.serviceWorker.ready).getNotifications())[0]?.body === '次のメッセージ'""",
    )
    assert pushes.shown() == [["道路課", "次のメッセージ", {"room": "r1", "seq": 5}]]
    pushes.push({"v": 1, "id": "c" * 26, "kind": "ring", "room": "r2", "seq": 1, "title": "", "body": ""})
    assert ["連絡", "新しいメッセージがあります", {"room": "r2", "seq": 1}] in pushes.shows(2)


def test_of_pushes_that_come_at_once_none_is_lost(phone: Person, server: Server) -> None:
    pushes = Pushes(phone.page, server.base)
    rooms = [f"r{number}" for number in range(10)]
    pushes.push(*({"kind": "ring", "room": room, "seq": 1, "title": room, "body": "…"} for room in rooms))
    assert sorted(title for title, *_ in pushes.shows(len(rooms))) == rooms


@pytest.mark.parametrize("nonsense", ["", "no JSON", "[1, 2]", '{"room": 7, "title": {"a": 1}, "badge": "x"}', "null"])
def test_whatever_is_pushed_shows_the_fixed_words(phone: Person, server: Server, nonsense: str) -> None:
    pushes = Pushes(phone.page, server.base)
    pushes.push(nonsense)
    [[title, body, _]] = pushes.shows(1)
    assert (title, body) == ("連絡", "新しいメッセージがあります")


def test_a_tap_opens_the_message(
    phone: Person, server: Server, hand: Callable[..., Hand], stage: Stage, room_name: str
) -> None:
    takahashi = hand("takahashi")
    room = takahashi.room(room_name, stage.facts["people"]["tanaka"])
    seq = takahashi.post(room, "橋の下を確認してください。")["seq"]
    for number in range(60):
        takahashi.post(room, f"その後の報告 {number}")
    pushes = Pushes(phone.page, server.base)
    pushes.push({"v": 1, "id": "d" * 26, "kind": "ring", "room": room, "seq": seq, "title": room_name, "body": "…"})
    pushes.shows(1)
    pushes.click()
    expect(phone.page.get_by_role("heading", name=room_name, level=1)).to_be_visible()
    expect(phone.said("橋の下を確認してください。")).to_be_in_viewport()
    assert pushes.shown() == []


def test_what_was_read_elsewhere_goes_away_and_the_badge_is_right(phone: Person, server: Server) -> None:
    pushes = Pushes(phone.page, server.base)
    pushes.worker.evaluate(
        """() => {
            self.badges = []
            navigator.setAppBadge = async (count) => void self.badges.push(count)
            navigator.clearAppBadge = async () => void self.badges.push(0)
        }"""
    )
    pushes.push({"kind": "ring", "room": "r1", "seq": 4, "badge": 2, "title": "道路課", "body": "…"})
    pushes.push({"kind": "ring", "room": "r2", "seq": 9, "badge": 3, "title": "下水道課", "body": "…"})
    pushes.shows(2)
    pushes.push({"kind": "clear", "room": "r1", "upto": 3, "badge": 3})
    pushes.push({"kind": "clear", "room": "r2", "upto": 9, "badge": 1})
    [[title, _, _]] = pushes.shows(1)
    assert title == "道路課", "what was not read yet stays"
    pushes.push({"kind": "clear", "room": "r1", "upto": 4, "badge": 0})
    pushes.shows(0)
    assert pushes.worker.evaluate("self.badges") == [2, 3, 3, 1, 0]


def test_the_page_that_tries_notifications_says_where_they_stop(phone: Person) -> None:
    page_is_kept(phone.page)
    phone.page.goto("/#/settings/tryPush")
    phone.page.get_by_role("button", name="試す", exact=True).click()
    steps = phone.page.get_by_role("listitem").filter(has_text=re.compile("できています|ここで止まっています"))
    expect(phone.page.get_by_role("alert").filter(has_text="このサーバーからは通知を送っていません。")).to_be_visible()
    expect(steps).to_have_count(4)
    expect(steps.last).to_contain_text("サーバーが通知を送っている")


# Devices


def test_a_device_that_waits_goes_on_by_itself_once_it_is_approved(
    enter: Enter, own_server: Server, stage: Stage, hand: Callable[..., Hand]
) -> None:
    administrator = hand("sato", own_server.base)
    administrator.call("PATCH", "/api/organization", {"policy": {"new_devices": "approval"}})
    phone = enter("tanaka", base=own_server.base, signed_in=False)
    phone.sign_in(stage.facts["password"])
    expect(phone.page.get_by_role("heading", name="この端末は、管理者の承認を待っています。")).to_be_visible()

    desk = enter("sato", base=own_server.base, signed_in=False)
    desk.sign_in(stage.facts["password"])
    expect(desk.page.get_by_role("heading", name="この端末は、管理者の承認を待っています。")).to_be_visible()
    waiting = administrator.call("GET", "/api/organization/devices")["items"]
    [own] = [one for one in waiting if one["user"]["name"].startswith("佐藤")]
    administrator.call("PATCH", f"/api/people/{own['user']['id']}/devices/{own['id']}", {"approved": True})
    desk.page.get_by_role("button", name="もう一度確かめる").click()
    desk.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first.wait_for()
    desk.page.goto("/#/admin/devices")
    row = desk.page.get_by_role("list", name="承認を待っている端末").get_by_role("listitem").filter(has_text="田中")
    row.get_by_role("button", name="承認する", exact=True).click()
    expect(desk.page.get_by_text("承認を待っている端末はありません。")).to_be_visible()
    phone.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first.wait_for()


def test_a_wiped_device_clears_everything_and_says_what_it_destroyed(
    enter: Enter, own_server: Server, stage: Stage, hand: Callable[..., Hand]
) -> None:
    administrator = hand("sato", own_server.base)
    phone = enter("tanaka", base=own_server.base)
    tanaka = stage.facts["people"]["tanaka"]
    before = {one["id"] for one in administrator.call("GET", f"/api/people/{tanaka}/devices")["items"]}
    assert len(before) >= 1
    device = phone.page.evaluate(
        """() => new Promise((resolve) => {
            const opening = indexedDB.open('renraku')
            opening.onsuccess = () => {
                const asked = opening.result.transaction('session').objectStore('session').get('current')
                asked.onsuccess = () => { opening.result.close(); resolve(asked.result.device) }
            }
        })"""
    )
    room = phone.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first
    room.click()
    phone.page.locator("[role=log][aria-busy=false]").wait_for()
    phone.page.context.set_offline(True)
    phone.page.evaluate("dispatchEvent(new Event('offline'))")
    own_server.kill()
    phone.write("まだ送られていない報告")
    stored(phone.page, 1)
    own_server.start()
    administrator = hand("sato", own_server.base)
    administrator.call("POST", f"/api/people/{tanaka}/devices/{device}/wipe")
    phone.page.context.set_offline(False)
    expect(phone.page.get_by_text("この端末のデータを消しました。送信前だった1件も消えました。")).to_be_visible()
    stored(phone.page, 0)
    [listed] = administrator.call("GET", "/api/organization/devices?state=wipe")["items"]
    assert (listed["id"], listed["state"], listed["unsent"], listed["signed_out"]) == (device, "wiped", 1, True)
