"""What somebody asks the others about, understood from their words."""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from chat_server.bot_times import understood

ATTENDANCE: Final = "出欠"
COMING: Final = ["出席", "欠席", "未定"]
_WORD: Final = re.compile(r"(?P<secret>無記名の?)?(?P<several>複数(?:選択)?の?)?(?P<kind>投票|出欠)(?:[\s::、]+|$)")
_MARK: Final = re.compile(r"^[・\-*●○]\s*|^\d{1,2}[.)]\s*")
_DEADLINE: Final = re.compile(r"^締め?切り?[\s::は]*")
_MOST: Final = 50
_CHARS: Final = 100


@dataclass(frozen=True)
class Asked:
    """`problem`: what the asker has to mend, in words; then the rest does not count."""

    title: str = ""
    choices: list[str] = field(default_factory=list)
    attendance: bool = False
    several: bool = False
    secret: bool = False
    ends: datetime.datetime | None = None
    problem: str = ""


def asked_in(text: str, now: datetime.datetime) -> Asked | None:
    """None where the words are not for this bot."""
    text = unicodedata.normalize("NFKC", text).strip()
    word = _WORD.match(text)
    if word is None:
        return None
    first, *lines = [line.strip() for line in text[word.end() :].split("\n") if line.strip()] or [""]
    deadlines = [_DEADLINE.sub("", line) for line in lines if _DEADLINE.match(line)]
    choices = [_MARK.sub("", line) for line in lines if not _DEADLINE.match(line)]
    attendance = word["kind"] == ATTENDANCE
    if not choices and not attendance:
        first, *choices = first.split() or [""]
    ends = understood(f"{deadlines[0]} 締切", now) if deadlines else None
    choices = list(dict.fromkeys(choices)) or COMING
    problem = _problem(first, choices, deadlines, ends.at if ends else None, now, attendance)
    return Asked(
        first,
        choices,
        attendance,
        word["several"] is not None,
        word["secret"] is not None,
        ends.at if ends else None,
        problem,
    )


def _problem(
    title: str, choices: list[str], deadlines: list[str], ends: datetime.datetime | None, now: datetime.datetime,
    attendance: bool,
) -> str:  # fmt: skip
    if not title:
        return "何についてかを書いてください。"
    if choices is COMING and not attendance:
        return "選択肢を二つ以上書いてください。"
    if not 2 <= len(choices) <= _MOST or max(map(len, [title, *choices])) > _CHARS:
        return f"選択肢は2〜{_MOST}個、それぞれ{_CHARS}文字までです。"
    if deadlines and ends is None:
        return f"締切「{deadlines[0]}」がいつか分かりませんでした。例: 締切 12月1日17時"
    return "締切がもう過ぎています。" if ends is not None and ends <= now else ""
