"""A real server for each module, a browser, and people who sign in through the page."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from tests.browser.line import Line
from tests.browser.process import Server
from tests.support.patience import DEADLINE

ROOT: Final = Path(__file__).resolve().parents[2]
DESK: Final = {"width": 1440, "height": 960}
PHONE: Final = {"width": 390, "height": 844}
TOKEN_IS_OLD: Final = 300.0
CHROMIUM: Final = "/usr/bin/chromium"
WINDOWLESS: Final = "/usr/bin/chromium-headless-shell"
_numbers = itertools.count(1)
# With what is to be seen and what is to be clicked: what is fast is measured by bench, not here.
PATIENCE: Final = 1000 * DEADLINE
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Stage:
    """A seeded data folder, and what is in it (stage.py)."""

    folder: Path
    facts: dict[str, Any]

    def copy_to(self, folder: Path) -> Path:
        shutil.copytree(self.folder, folder)
        return folder


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """As root its own sandbox cannot start."""
    return {"args": ["--no-sandbox"] if os.geteuid() == 0 else []}


def _launched(browser_type: BrowserType, options: dict[str, Any], program: str) -> Iterator[Browser]:
    browser = browser_type.launch(**options, executable_path=os.environ.get("RENRAKU_CHROMIUM", program))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def windowless_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """Debian's Chromium without what stands around a page: a third less of the processor's time. Where that is not to be had
    (scripts/debian-faster), the whole one."""
    program = WINDOWLESS if Path(WINDOWLESS).exists() else CHROMIUM
    yield from _launched(browser_type, browser_type_launch_args, program)


@pytest.fixture(scope="session")
def whole_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    yield from _launched(browser_type, browser_type_launch_args, CHROMIUM)


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Browser:
    """A module that says WHOLE_BROWSER is about what stands around the page: pushes, notifications, installing, input."""
    whole = getattr(request.module, "WHOLE_BROWSER", False)
    return cast(Browser, request.getfixturevalue("whole_browser" if whole else "windowless_browser"))


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("stage")
    facts = folder / "facts.json"
    command = [sys.executable, "-m", "tests.browser.stage", str(folder / "data"), str(facts)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
    return Stage(folder / "data", json.loads(facts.read_text()))


@pytest.fixture(scope="module")
def server(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A module's own: which others ran before it on this core is chance, and what they left would be on its pages."""
    with Server(stage.copy_to(tmp_path_factory.mktemp("server") / "data")) as running:
        yield running


@pytest.fixture
def own_server(stage: Stage, tmp_path: Path) -> Iterator[Server]:
    """For tests that kill it."""
    with Server(stage.copy_to(tmp_path / "data")) as running:
        yield running


@pytest.fixture
def two_zones(stage: Stage, tmp_path: Path) -> Iterator[Server]:
    """A server of this test's own, for desks and for phones on the Internet."""
    with Server(stage.copy_to(tmp_path / "data"), ("lgwan", "internet")) as running:
        yield running


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    """A bad line to the server."""
    with Line(server.port) as line:
        yield line


@dataclass
class Person:
    """Somebody at a page."""

    page: Page
    login: str
    problems: list[str] = field(default_factory=list)
    """what the browser complained about"""

    def sign_in(self, password: str, organization: str = "midorino") -> None:
        self.page.get_by_label("団体コード").fill(organization)
        self.page.get_by_label("ユーザーID").fill(self.login)
        self.page.get_by_label("パスワード").fill(password)
        self.page.get_by_role("button", name="ログイン").click()

    def open(self, room: str) -> None:
        self.page.get_by_role("link", name=re.compile(re.escape(room))).click()
        self.page.get_by_role("heading", name=room, level=1).wait_for()
        self.page.locator("[role=log][aria-busy=false]").wait_for()

    def open_link(self, link: str) -> None:
        """A new page at an address, as from a mail; the device is signed in."""
        self.page.goto("about:blank")
        self.page.goto(link)

    def details(self, tab: str) -> Any:
        """The pane beside the room, or over it on a phone, at one of its tabs."""
        pane = self.page.get_by_role("dialog", name="トークルームの詳細")
        if pane.count() == 0:
            self.page.get_by_role("button", name="トークルームの詳細").click()
        pane.get_by_role("group", name="詳細の種類").get_by_role("button", name=tab).click()
        return pane

    @property
    def log(self) -> Any:
        return self.page.get_by_role("log")

    @property
    def field(self) -> Any:
        return self.page.get_by_role("textbox", name="メッセージを入力")

    def write(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Control+Enter")

    def attach(self, photos: list[Any]) -> None:
        self.page.locator("input[data-pick=files]").set_input_files(photos)

    def said(self, text: str) -> Any:
        """The messages (not what is still waiting to be sent) with this text."""
        return self.log.locator("article[data-message]").filter(has_text=text)

    def waiting(self) -> Any:
        return self.log.locator("article[data-pending]")


Enter = Callable[..., Person]


@pytest.fixture
def enter(browser: Browser, server: Server, stage: Stage) -> Iterator[Enter]:
    """Opens the page as somebody in a browser context of their own: `enter("tanaka", viewport=PHONE)`."""
    contexts: list[BrowserContext] = []
    people: list[Person] = []

    def come(login: str, *, base: str | None = None, signed_in: bool = True, **options: Any) -> Person:
        context = browser.new_context(
            base_url=base or server.base,
            # Most tests need no second copy of the page, and what a service worker fetches passes their routes by.
            **{
                "viewport": DESK,
                "locale": "ja-JP",
                "timezone_id": "Asia/Tokyo",
                "service_workers": "block",
                **options,
            },
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        person = Person(context.new_page(), login)
        people.append(person)
        listen(person)
        person.page.goto("/")
        if signed_in:
            person.sign_in(stage.facts["password"])
            person.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first.wait_for()
        return person

    yield come
    for context in contexts:
        context.close()
    complaints = [f"{person.login}: {problem}" for person in people for problem in person.problems]
    assert complaints == [], "the browser complained"


def listen(person: Person) -> None:
    """A script error or a refusal by the content security policy fails the test, whatever it tested."""
    person.page.on("pageerror", lambda error: person.problems.append(f"error: {error}"))

    def heard(message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            person.problems.append(message.text)

    person.page.on("console", heard)


@dataclass
class Hand:
    """A person's calls over HTTP, to set a scene that the page is not tested on."""

    http: httpx2.Client
    token: str

    def is_good(self, *, anew: bool) -> bool:
        """A server of one test may have the port of another's, which knows nothing of this session."""
        authorization = {"Authorization": f"Bearer {self.token}"}
        return not anew or self.http.get("/api/me", headers=authorization).status_code == 200

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": f"browser-{next(_numbers):08d}"}
        response = self.http.request(method, path, json=body, headers=headers, **options)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    def room(self, name: str, *members: str) -> str:
        made = self.call("POST", "/api/rooms", {"kind": "private", "name": name, "members": list(members)})
        return str(made["id"])

    def post(self, room: str, text: str, **more: Any) -> Any:
        key = f"browser-{time.time_ns()}"
        blocks = [{"type": "text", "text": text}]
        return self.call("POST", f"/api/rooms/{room}/messages", {"client_msg_id": key, "blocks": blocks, **more})

    def messages(self, room: str) -> list[Any]:
        return list(self.call("GET", f"/api/rooms/{room}/messages?limit=200")["messages"])


@pytest.fixture(scope="module")
def hand(server: Server, stage: Stage) -> Iterator[Callable[..., Hand]]:
    """`hand("takahashi")`; hashing a password is slow, so a session serves until its token is old."""
    hands: dict[tuple[str, str], tuple[Hand, float]] = {}
    clients: list[httpx2.Client] = []

    def sign_in(login: str, base: str | None = None) -> Hand:
        base = base or server.base
        known, since = hands.get((login, base), (None, 0.0))
        if known is not None and time.monotonic() - since < TOKEN_IS_OLD and known.is_good(anew=base != server.base):
            return known
        http = httpx2.Client(base_url=base, timeout=30, trust_env=False)
        clients.append(http)
        flow = http.post("/api/sign-in", json={"organization": "midorino", "login": login, "device_name": "test"})
        proof = {"flow": flow.json()["flow"], "password": stage.facts["password"]}
        session = http.post("/api/sign-in/password", json=proof).json()["session"]
        hands[login, base] = Hand(http, session["access_token"]), time.monotonic()
        return hands[login, base][0]

    yield sign_in
    for http in clients:
        http.close()


@pytest.fixture
def room_name(request: pytest.FixtureRequest) -> str:
    """A room of this test's own: what others wrote does not stand in it."""
    return f"試験室{next(_numbers)} {os.getpid()}"
