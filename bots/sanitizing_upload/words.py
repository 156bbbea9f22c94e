"""What 受け取り係 says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.bot_api import Card, Copy, Handed, Link
from chat_server.bot_times import day_and_time

_STATES: Final = {
    "new": "まだ公開していません",
    "open": "受け付けています",
    "opened": "相手が開きました",
    "done": "完了しました",
    "expired": "期限が過ぎました",
    "revoked": "取り消しました",
}
_COLOURS: Final = {"done": "done", "expired": "stopped", "revoked": "stopped"}
_MOST_CHARS: Final = 3500
_A_FILE: Final = 300


@dataclass(frozen=True, slots=True)
class Asked:
    recipient: str
    purpose: str
    company: str
    days: int


def asked_in(text: str) -> Asked | None:
    """「受け取り 山田 太郎様 点検の写真」, with lines of 会社 and 期限 below it. None: it is about something else."""
    lines = [line.strip() for line in text.strip().splitlines()]
    first = re.fullmatch(r"受け?取り[ \u3000]+(.*)", lines[0]) if lines else None
    if first is None:
        return None
    named = re.fullmatch(r"(.{1,60}?)(?:様|さん)[ \u3000]+(.+)", first[1]) or re.fullmatch(
        r"([^ \u3000]{1,60})[ \u3000]+(.+)", first[1]
    )
    company, days = "", 7
    for line in lines[1:]:
        if found := re.fullmatch(r"会社[ \u3000]+(.{1,60})", line):
            company = found[1]
        elif found := re.fullmatch(r"期限[ \u3000]*([0-9０-９]{1,3})[ \u3000]*日", line):
            days = int(found[1])
    return Asked(named[1].strip() if named else "", named[2].strip()[:200] if named else "", company, days)


def card(link: Link) -> Card:
    state = _STATES.get(link.state, "")
    if link.state == "received":
        state = f"{link.received}件を受け取りました(続けて受け付けています)"
    elif link.received and link.state in ("done", "expired", "revoked"):
        state += f"(受け取り {link.received}件)"
    rows = [("状態", state), ("相手", _recipient(link)), ("期限", day_and_time(link.ends)), ("担当", link.asker)]
    if waiting := sum(file.state == "held" for file in link.files):
        rows.append(("承認待ち", f"{waiting}件(承認できる人: {_who_approves(link)})"))
    if link.expected:
        rows.insert(2, ("お願いしたもの", link.expected))
    if link.state == "new":
        rows.append(("次にすること", "「詳細」の「ファイルを受け取る」でアドレスを作り、相手に送ってください。"))
    colour = _COLOURS.get(link.state, "open")
    return Card(f"ファイルの受け取り: {link.purpose}"[:200], "", tuple(rows), colour)  # type: ignore[arg-type]


def arrived(link: Link, files: Sequence[Handed]) -> tuple[str]:
    """Who handed in what, and what was done with each file."""
    released = [file for file in files if file.state == "released"]
    refused = [file for file in files if file.state == "refused"]
    what = f"{len(released)}件のファイル" if released else "ファイル"
    lines = [f"{_called(link)}{_recipient(link)}から、「{link.purpose}」の{what}が届きました。"]
    lines += [f"・{file.name}({_size(file.size)}): {_verdict(file)}" for file in released]
    if refused:
        lines.append(f"受け取れなかったファイルが{len(refused)}件あります。")
        lines += [f"・{file.name}({_size(file.size)}): {file.reason}{_decided(file)}" for file in refused]
    text = "\n".join(line[:_A_FILE] for line in lines)
    return (text[:_MOST_CHARS],)


def held(link: Link, files: Sequence[Handed]) -> str:
    """What waits for somebody's approval, and whose."""
    called = "".join(f"<@user:{person}> " for person in link.approvers)
    first = (
        f"{called}{_recipient(link)}からの「{link.purpose}」のうち{len(files)}件は、承認されるまでだれも開けません。"
        f"承認できるのは{_who_approves(link)}です(管理の「承認待ちのファイル」)。"
    )
    lines = [first]
    lines += [f"・{file.name}({_size(file.size)}): {_found(file)}"[:_A_FILE] for file in files]
    return "\n".join(lines)[:_MOST_CHARS]


def _who_approves(link: Link) -> str:
    return ("団体の管理者" if link.admins else "所属の管理者と団体の管理者") + "(依頼した本人を除く)"


def _found(file: Handed) -> str:
    return "、".join(file.sentences).replace("。、", "。") or "中に気になるものは見つかっていません"


def done(link: Link) -> str:
    if link.silent:
        return (
            f"{_called(link)}{_recipient(link)}からの「{link.purpose}」は、追加のファイルが届かないまま時間が過ぎたため、"
            f"受け付けを終えました({link.received}件)。足りないものがあれば、「再依頼」を押してください。"
        )
    return f"{_called(link)}{_recipient(link)}からの「{link.purpose}」は、これで全部です({link.received}件)。"


def deadline_passed(link: Link) -> tuple[str, Copy]:
    """With words that can be sent on as they are."""
    words = (
        f"{_recipient(link)}\n\nお世話になっております。{link.asker}です。\n"
        f"「{link.purpose}」の提出期限({day_and_time(link.ends)})が過ぎましたが、まだファイルが届いていないようです。\n"
        "お手数ですが、ご都合をお知らせください。あらためて送り先のリンクをお送りします。"
    )
    return (
        (
            f"{_called(link)}{_recipient(link)}からの「{link.purpose}」は、期限までに届きませんでした。"
            "期限を延ばすか、次の文面で連絡してください。"
        ),
        Copy(words),
    )


def _called(link: Link) -> str:
    return "".join(f"<@user:{person}> " for person in link.calls)


def _recipient(link: Link) -> str:
    return f"{link.company} {link.recipient}様".strip()


def _decided(file: Handed) -> str:
    """By whom, where a second person decided."""
    if not file.approver or file.approved is None:
        return ""
    return f"({file.approver}、{day_and_time(file.approved)}、理由: {file.why})"


def _verdict(file: Handed) -> str:
    if file.approver and file.approved is not None:
        return f"原本のまま渡しました(承認: {file.approver}、{day_and_time(file.approved)}、理由: {file.why})"
    return "、".join(file.sentences).replace("。、", "。") or "取り除いたものはありません"


def _size(size: int) -> str:
    for unit, bytes_ in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return f"{size} B"
