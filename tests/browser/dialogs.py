"""Everything of the page that opens over it, and the way there, in either language; so that whoever tries "every dialog" tries them
all. Pages with an address of their own are in test_pages.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Locator, Page

from tests.browser.conftest import Hand, Person
from tests.browser.photos import photo

MESSAGE: Final = "PR-12"
"""Stands in the message that is acted on: neither Japanese nor English."""


def either(japanese: str, english: str) -> re.Pattern[str]:
    """The whole name, in the page's language."""
    return re.compile(f"^({japanese}|{english})$")


@dataclass
class House:
    """Somebody at a room with a message, a photo, a file and a note in it."""

    person: Person
    room: str
    colleague: str

    @property
    def page(self) -> Page:
        return self.person.page

    def button(self, japanese: str, english: str, where: Any = None) -> Locator:
        found: Locator = (where or self.page).get_by_role("button", name=either(japanese, english))
        return found.first

    def home(self) -> None:
        """The room as one comes to it, on a page that was loaded anew: whatever was open, or on its way, is gone."""
        self.page.goto("about:blank")
        self.page.goto(f"/#/rooms/{self.room}")
        self.page.locator("[role=log][aria-busy=false]").wait_for()
        self.page.locator("article[data-message]").filter(has_text=MESSAGE).wait_for()

    def details(self, panel: str = "members") -> Locator:
        self.page.goto(f"/#/rooms/{self.room}/{panel}")
        pane: Locator = self.page.get_by_role("dialog", name=either("トークルームの詳細", "Details of the room"))
        pane.wait_for()
        return pane

    def menu(self, japanese: str, english: str) -> None:
        row = self.page.locator("article[data-message]").filter(has_text=MESSAGE)
        row.hover()
        row.get_by_role("button", name=re.compile("のメッセージの操作$|^Actions for ")).click()
        self.page.get_by_role("menuitem", name=either(japanese, english)).click()


def fill(house_of: Callable[..., Person], hand: Hand, colleague: str, name: str) -> House:
    """A room named `name` with one of everything; nothing of it in Japanese but people's names."""
    room = hand.room(name, colleague)
    for number in range(30):  # more than a screen
        hand.post(room, f"No. {number}")
    taken = photo(0, 320, 240)
    headers = {"Authorization": f"Bearer {hand.token}", "Content-Type": "image/jpeg"}
    put = hand.http.post("/api/photos", params={"name": "P1.jpg"}, content=taken["buffer"], headers=headers)
    blocks = [{"type": "text", "text": MESSAGE}, {"type": "photos", "ids": [put.json()["id"]]}]
    hand.call("POST", f"/api/rooms/{room}/messages", {"client_msg_id": f"dialogs-{room}", "blocks": blocks})
    hand.call("POST", f"/api/rooms/{room}/notes", {"title": "N1", "blocks": [{"type": "markdown", "text": "ok"}]})
    return House(house_of(), room, colleague)


def _nothing(house: House) -> None:
    """The room itself."""


def _switcher(house: House) -> None:
    house.page.keyboard.press("Control+k")


def _new_room(house: House) -> None:
    house.button("トークルームを作る", "New room").click()


def _open_rooms(house: House) -> None:
    house.button("公開トークルームを探す", "Find open rooms").click()


def _settings(house: House) -> None:
    house.button("設定", "Settings", house.details()).click()


def _invite(house: House) -> None:
    house.button("招待する", "Invite", house.details()).click()


def _role(house: House) -> None:
    house.details().get_by_role("button", name=re.compile("の権限$|^What .* may do$")).first.click()


def _day(house: House) -> None:
    house.page.get_by_role("button", name=re.compile("日付へ移動$|Go to a day$")).click()


def _later(house: House) -> None:
    house.person.page.get_by_role("textbox", name=either("メッセージを入力", "Write a message")).fill("x")
    house.button("日時を指定", "Choose a time").click()


def _confirm(house: House) -> None:
    house.person.page.get_by_role("textbox", name=either("メッセージを入力", "Write a message")).fill("x")
    house.button("要確認にして送る", "Ask to confirm").click()


def _memos(house: House) -> None:
    house.button("メモから", "From memos").click()


def _bots(house: House) -> None:
    house.button("ボットに頼む", "Ask a bot").click()


def _forward(house: House) -> None:
    house.menu("転送", "Forward")


def _into_note(house: House) -> None:
    house.menu("ノートに入れる", "Put into a note")
    house.page.get_by_role("group", name=re.compile("メッセージの選択|chosen|Choosing|messages", re.I)).get_by_role(
        "button", name=either("ノートに入れる", "Put into a note")
    ).click()


def _note(house: House) -> None:
    house.button("新しいノート", "New note", house.details("notes")).click()


def _photo(house: House) -> None:
    house.page.locator("article[data-message]").filter(has_text=MESSAGE).locator("img.here").click()


def _camera(house: House) -> None:
    shot: Any = {**photo(1, 320, 240), "name": "P2.jpg"}
    house.page.locator("input[data-pick=camera]").set_input_files(shot)


def _person(house: House) -> None:
    house.page.locator("article[data-message]").filter(has_text="No. 0").locator("[data-person]").click()


def _readers(house: House) -> None:
    house.page.get_by_role(
        "button", name=re.compile("一覧を開く$|Open the list$|^既読を見る$|^Read by whom$")
    ).last.click()


def _account(house: House) -> None:
    house.button("自分のメニュー", "Your menu").click()


def _keys(house: House) -> None:
    house.page.locator("main h1").click()
    house.page.keyboard.press("?")


DIALOGS: Final[dict[str, Callable[[House], None]]] = {
    "room": _nothing, "switcher": _switcher, "new room": _new_room, "open rooms": _open_rooms, "room settings": _settings,
    "invite": _invite, "role": _role, "day": _day, "later": _later, "confirm": _confirm, "memos": _memos, "bots": _bots,
    "forward": _forward, "into a note": _into_note, "note": _note, "photo": _photo, "camera": _camera, "person": _person,
    "readers": _readers, "account": _account, "keys": _keys,
}  # fmt: skip
