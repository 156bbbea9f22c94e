"""The page as an app: it installs, opens without the server, and is never exchanged under somebody's hands."""

from __future__ import annotations

import io
import re
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Enter
from tests.browser.device import page_is_kept
from tests.browser.process import Server
from tests.support.patience import DEADLINE

WHOLE_BROWSER = True


class Upgraded:
    """Stands before the server and can pretend that its page was built anew."""

    def __init__(self, server: Server) -> None:
        self.build = ""
        upgraded = self
        http = self._client = httpx2.Client(base_url=server.base, trust_env=False, timeout=20)

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self._pass(b"")

            def do_POST(self) -> None:
                self._pass(self.rfile.read(int(self.headers.get("content-length", 0))))

            def _pass(self, body: bytes) -> None:
                left_out = {"host", "connection", "accept-encoding", "content-length", "if-none-match", "origin"}
                headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
                answer = http.request(self.command, self.path, content=body, headers=headers)
                content = answer.content
                if self.path == "/sw.js" and upgraded.build:
                    content = re.sub(rb'version:"[0-9a-f]+"|"version":"[0-9a-f]+"', upgraded.version, content)
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in ("content-length", "content-encoding", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def version(self) -> bytes:
        return f'"version":"{self.build}"'.encode()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._client.close()


@pytest.fixture
def upgraded(server: Server) -> Iterator[Upgraded]:
    front = Upgraded(server)
    yield front
    front.close()


def test_what_an_installer_asks_for_is_there(server: Server) -> None:
    with httpx2.Client(base_url=server.base, trust_env=False, timeout=DEADLINE) as http:
        manifest = http.get("/manifest.webmanifest")
        assert manifest.headers["content-type"].startswith("application/manifest+json")
        told = manifest.json()
        assert (told["name"], told["display"], told["start_url"], told["scope"]) == ("連絡", "standalone", "/", "/")
        assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
        for icon in told["icons"]:
            picture = http.get(icon["src"])
            assert picture.headers["content-type"] == "image/png"
            width, height = struct.unpack(">II", io.BytesIO(picture.content[16:24]).read())
            assert icon["sizes"] == f"{width}x{height}"
        worker = http.get("/sw.js")
        # Asked for each time: a worker that a cache keeps would keep its page for ever.
        assert worker.headers["cache-control"] == "no-cache"
        assert worker.headers["content-type"].startswith("text/javascript")
        for source in ("worker-src 'self'", "manifest-src 'self'"):
            assert source in http.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1",
        # An iPad says that it is a Mac.
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
    ],
    ids=["iPhone", "iPad"],
)
def test_where_nothing_can_be_installed_or_shared_by_itself_the_shortest_way_is_told(enter: Enter, agent: str) -> None:
    phone = enter("tanaka", viewport=PHONE, user_agent=agent, is_mobile=True, has_touch=True)
    phone.page.goto("/#/device")
    steps = phone.page.get_by_role("listitem").filter(has_text="「ホーム画面に追加」を選びます。")
    expect(steps.first).to_be_visible()
    expect(phone.page.locator("details[open] summary")).to_have_text(["iPhone・iPad"])
    expect(phone.page.get_by_text("トークルームの「添付」→「写真ライブラリ」で、20枚まで")).to_be_visible()


def test_the_page_opens_without_the_server_and_keeps_no_answer_of_it(enter: Enter, own_server: Server) -> None:
    phone = enter("takahashi", base=own_server.base, viewport=PHONE, service_workers="allow")
    page_is_kept(phone.page)
    own_server.kill()
    page = phone.page.context.new_page()
    page.goto("/")
    expect(page.get_by_role("navigation", name="トークルーム一覧")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="サーバーにつながりません")).to_be_visible()
    # A part that was never opened comes from the device, too.
    page.get_by_role("button", name="自分のメニュー").click()
    page.get_by_role("button", name="設定", exact=True).click()
    page.get_by_role("link", name="この端末の設定").click()
    expect(page.get_by_role("heading", name="この端末の設定")).to_be_visible()
    expect(page.get_by_text("サーバーにつながらないときも画面が開きます")).to_be_visible()
    asked = page.evaluate(
        """async () => {
            const urls = []
            for (const name of await caches.keys())
                for (const { url } of await (await caches.open(name)).keys()) urls.push(new URL(url).pathname)
            return urls
        }"""
    )
    assert "/" in asked
    assert not [path for path in asked if path.startswith(("/api", "/files", "/ws"))]


def test_a_newer_page_waits_for_a_word(enter: Enter, upgraded: Upgraded) -> None:
    desk = enter("takahashi", base=upgraded.base, service_workers="allow")
    page_is_kept(desk.page)
    desk.open("道路パトロール 現場報告")
    desk.field.fill("書きかけの文です。")
    upgraded.build = "feedfeedfeedfeed"
    desk.page.evaluate("navigator.serviceWorker.ready.then((worker) => worker.update())")
    notice = desk.page.locator("main").get_by_text("新しい版があります。")
    expect(notice).to_be_visible()
    # Nothing is exchanged by itself.
    expect(desk.field).to_have_value("書きかけの文です。")
    assert desk.page.evaluate("caches.keys().then((names) => names.length)") == 2
    desk.page.evaluate("window.before = true")
    desk.page.locator("main").get_by_role("button", name="読み込み直す").click()
    desk.page.wait_for_function("() => window.before === undefined")
    expect(desk.page.get_by_role("navigation", name="トークルーム一覧").get_by_role("link").first).to_be_visible()
    expect(desk.page.get_by_text("新しい版があります。")).to_have_count(0)


def test_a_server_of_another_version_is_told(enter: Enter) -> None:
    desk = enter("takahashi", signed_in=False)
    desk.page.add_init_script(
        """const parse = WebSocket.prototype.__lookupSetter__('onmessage')
        const { Uint8Array: Bytes } = window
        Object.defineProperty(WebSocket.prototype, 'onmessage', {
            set(handler) {
                parse.call(this, (event) => {
                    const bytes = new Bytes(event.data)
                    const name = [...'protocol'].map((char) => char.charCodeAt(0))
                    for (let at = 0; at + 9 < bytes.length; at++)
                        if (name.every((byte, index) => bytes[at + index] === byte) && bytes[at + 8] === 1) bytes[at + 8] = 2
                    handler.call(this, new MessageEvent('message', { data: bytes.buffer }))
                })
            },
        })"""
    )
    desk.page.reload()
    desk.sign_in("kakunin-shimashita-0922")
    expect(desk.page.get_by_text("サーバーの版とこの画面の版が合っていません。")).to_be_visible()
    expect(desk.page.get_by_role("button", name="読み込み直す")).to_be_visible()
