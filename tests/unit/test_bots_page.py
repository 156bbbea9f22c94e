"""docs/bots.md: the bot that it shows is a bot, and its test passes."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import bots
from chat_server import bot_api
from chat_server.bot_runner.plugins import find, load

PAGE = (Path(__file__).parents[2] / "docs" / "bots.md").read_text(encoding="utf-8")


def test_the_page_s_own_bot_does_what_its_test_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bot, test = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    folder = tmp_path / "greeter"
    folder.mkdir()
    for name, text in (("__init__.py", ""), ("bot.py", bot), ("test_greeter.py", test)):
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(bots, "__path__", [*bots.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    module = importlib.import_module("bots.greeter.test_greeter")
    module.test_it_greets_and_counts()
    assert load("bots.greeter.bot").title == "あいさつ係"


def test_one_that_cannot_be_loaded_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bots, "__path__", [*bots.__path__])
    for name, text in (
        ("broken", "import nowhere"),
        ("empty", ""),
        ("nameless", "from chat_server.bot_api import Bot\nclass B(Bot): pass\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "bot.py").write_text(text)
    assert [one.name for one in find(str(tmp_path))] == ["memo_pad", "polls", "reminders", "sanitizing_upload"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("{} seconds for one thing", f"{bot_api.SECONDS:g}"),
        ("at most {} messages", bot_api.SAYS),
        ("and {} timers", bot_api.TIMERS),
        ("{} kB of store", bot_api.STORE_BYTES // 1024),
        ("with {} kB of files", bot_api.FILE_BYTES // 1024),
    ],
)
def test_its_numbers_are_those_of_the_code(words: str, value: object) -> None:
    assert words.format(value) in PAGE
