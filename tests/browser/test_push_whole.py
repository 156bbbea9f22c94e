"""From the desk to a phone that sleeps: it rings once, nobody on the way reads why, a tap leads there, and what the desk has read is quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Enter, Hand, Person, Stage
from tests.browser.device import until
from tests.browser.process import Server
from tests.browser.push_service import PushService, push_service
from tests.browser.test_push import Pushes

WHOLE_BROWSER = True

TOKEN: Final = f"{1:064x}"
RENEWED: Final = f"{2:064x}"
OTHER: Final = f"{3:064x}"
WORDS: Final = "倒木で通行止めです。迂回路を確認してください。"


@pytest.fixture
def pushed(stage: Stage, tmp_path: Path) -> Iterator[tuple[Server, PushService]]:
    """A server that pushes, and the push service of its phones' browsers."""
    with (
        push_service(tmp_path) as service,
        Server(stage.copy_to(tmp_path / "data"), ("lgwan", "internet"), service.settings) as server,
    ):
        yield server, service


def phone_of(
    login: str, token: str, enter: Enter, stage: Stage, service: PushService, outside: str
) -> tuple[Person, Pushes]:
    """Signed in on the Internet side, and registered."""
    phone = enter(
        login, base=outside, signed_in=False, viewport=PHONE, service_workers="allow", permissions=["notifications"]
    )
    phone.page.add_init_script(service.script_for(token))
    phone.page.goto("/")
    phone.sign_in(stage.facts["password"])
    phone.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first.wait_for()
    pushes = Pushes(phone.page, outside)
    phone.page.goto("/#/settings/notifications")
    with phone.page.expect_response("**/api/devices/me/push") as registered:
        phone.page.get_by_role("button", name="通知を使う").click()
    assert registered.value.ok
    return phone, pushes


def test_a_subscription_that_the_browser_ends_is_made_anew_and_told(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str, pushed: tuple[Server, PushService]
) -> None:
    server, service = pushed
    tanaka, takahashi = stage.facts["people"]["tanaka"], hand("takahashi", server.base)
    room = takahashi.room(room_name, tanaka)
    outside = server.base_in("internet")
    phone, pushes = phone_of("tanaka", TOKEN, enter, stage, service, outside)

    # The browser's word, as the worker hears it. What it subscribes with then is what it had before.
    phone.page.evaluate(service.script_for(RENEWED))
    with phone.page.expect_response("**/api/devices/me/push") as told:
        options = pushes.worker.evaluate(
            """async () => {
                const asked = []
                self.registration.pushManager.subscribe = async (options) => void asked.push(options.userVisibleOnly)
                const event = new ExtendableEvent('pushsubscriptionchange')
                const oldSubscription = { options: { userVisibleOnly: true } }
                Object.defineProperties(event, { oldSubscription: { value: oldSubscription }, newSubscription: { value: null } })
                self.dispatchEvent(event)
                while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
                return asked
            }"""
        )
    assert options == [True]
    assert told.value.ok
    takahashi.post(room, f"<@user:{tanaka}> {WORDS}")
    (ring,) = service.came(RENEWED, 1)
    assert ring.payload["kind"] == "ring"


CHANGES: Final = """async ({ endpoint, p256dh, auth }) => {
    const pages = await self.clients.matchAll({ includeUncontrolled: true })
    const asked = []
    self.registration.pushManager.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
        asked.push([userVisibleOnly, applicationServerKey])
        return { toJSON: () => ({ endpoint, keys: { p256dh, auth } }) }
    }
    const { fetch } = self
    const told = new Promise((done) => {
        self.fetch = async (...call) => {
            const answer = await fetch(...call)
            done([call[0], answer.status])
            return answer
        }
    })
    const event = new ExtendableEvent('pushsubscriptionchange')
    Object.defineProperties(event, { oldSubscription: { value: null }, newSubscription: { value: null } })
    self.dispatchEvent(event)
    return [pages.length, ...await told, asked]
}"""
"""The browser's word, as the worker hears it, in the form that says least: neither the old subscription nor a new one. The debugging
protocol cannot say it (it knows pushes and syncs alone); from the event on everything is real but for what the browser subscribes with."""


def test_a_phone_whose_subscription_ends_while_no_page_is_open_goes_on_being_rung(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str, pushed: tuple[Server, PushService]
) -> None:
    server, service = pushed
    tanaka, takahashi = stage.facts["people"]["tanaka"], hand("takahashi", server.base)
    room = takahashi.room(room_name, tanaka)
    outside = server.base_in("internet")
    phone, pushes = phone_of("tanaka", TOKEN, enter, stage, service, outside)
    key = kept_for_the_worker(phone.page)

    # No page is open. What Chromium starts a worker anew with, without a page, Playwright does not show: it is the one that ran before.
    phone.page.goto("about:blank")
    assert pushes.worker.evaluate(CHANGES, service.subscription(RENEWED)) == [
        0,
        "/api/push/renewal",
        204,
        [[True, key]],
    ]

    takahashi.post(room, f"<@user:{tanaka}> {WORDS}")
    (ring,) = service.came(RENEWED, 1)
    assert (ring.payload["kind"], ring.payload["room"]) == ("ring", room)
    assert service.came(TOKEN, 0) == []


def test_the_secret_of_the_worker_leaves_with_its_person(
    enter: Enter, stage: Stage, pushed: tuple[Server, PushService]
) -> None:
    server, service = pushed
    phone, _ = phone_of("tanaka", TOKEN, enter, stage, service, server.base_in("internet"))
    kept_for_the_worker(phone.page)
    phone.page.goto("/")
    phone.page.get_by_role("button", name="自分のメニュー").click()
    phone.page.get_by_role("button", name="ログアウト").click()
    expect(phone.page.get_by_label("ユーザーID")).to_be_visible()
    until(phone.page, "async () => !(await caches.has('renraku-push'))")


def kept_for_the_worker(page: Page) -> str:
    """Waits for it; the server's key, base64url."""
    until(page, "async () => (await caches.match('/push/renewal', { cacheName: 'renraku-push' })) !== undefined")
    kept = page.evaluate("async () => (await caches.match('/push/renewal', { cacheName: 'renraku-push' })).json()")
    assert len(kept["renewal"]) == 43
    return str(kept["key"])


def test_a_phone_that_sleeps_rings_once_and_the_desk_silences_it(
    enter: Enter, hand: Callable[..., Hand], stage: Stage, room_name: str, pushed: tuple[Server, PushService]
) -> None:
    server, service = pushed
    people = stage.facts["people"]
    takahashi, sato = hand("takahashi", server.base), hand("sato", server.base)
    room = takahashi.room(room_name, people["tanaka"], people["sato"])
    outside = server.base_in("internet")
    phone, pushes = phone_of("tanaka", TOKEN, enter, stage, service, outside)
    desk = enter("tanaka", base=server.base)
    awake, _ = phone_of("sato", OTHER, enter, stage, service, outside)
    awake.page.goto("/")
    awake.open(room_name)

    # It sleeps: it has no line, and nobody looks at it.
    phone.page.context.set_offline(True)
    first = takahashi.post(room, f"<@user:{people['tanaka']}> <@user:{people['sato']}> {WORDS}")
    expect(awake.said(WORDS)).to_be_visible()
    (ring,) = service.came(TOKEN, 1)
    assert ring.payload["kind"] == "ring"
    assert WORDS not in str(ring)
    assert room_name not in str(ring)
    pushes.push(ring.payload)
    assert [each[:2] for each in pushes.shows(1)] == [["連絡", "新しいメッセージがあります"]]

    # The desk reads it, and the phone is quiet again.
    desk.open(room_name)
    expect(desk.said(WORDS)).to_be_visible()
    _, clear = service.came(TOKEN, 2)
    assert (clear.payload["kind"], clear.payload["room"], clear.payload["upto"]) == ("clear", room, first["seq"])
    pushes.push(clear.payload)
    pushes.shows(0)

    # The next one is opened on the phone.
    desk.page.close()
    takahashi.post(room, f"<@user:{people['tanaka']}> 迂回路の写真をお願いします。")
    *_, again = service.came(TOKEN, 3)
    pushes.push(again.payload)
    pushes.shows(1)
    phone.page.context.set_offline(False)
    pushes.click()
    expect(phone.said("迂回路の写真をお願いします。")).to_be_in_viewport()

    # The other phone was called, too, and stayed silent: the administrator looks up why.
    why = sato.call("GET", f"/api/organization/push/why?user={people['sato']}&message={first['id']}")
    assert (why["why"], why["devices"]) in (("reading_now", []), ("read_already", []))
    assert why["explanation"]["ja"]
    assert [taken.payload["kind"] for taken in service.came(TOKEN, 3)] == ["ring", "clear", "ring"]
    assert service.came(OTHER, 0) == []
