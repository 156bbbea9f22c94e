"""A difference as text to read before it is done (docs/staff-csv.md, "The difference"), in Japanese and in English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chat_server.services import staff_days
from chat_server.services.staff_people import PersonPlan, Term
from chat_server.services.staff_plan import Difference
from chat_server.services.staff_rows import ANNUAL, CONCURRENT, JOINT, MAIN
from chat_server.storage.queries.departments import Appointment

LANGUAGES: Final = ("ja", "en")

_WORDS: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "departments": "所属", "people": "職員", "appointments": "発令", "nothing": "変更はありません",
        MAIN: "本務", CONCURRENT: "兼務", JOINT: "併任", ANNUAL: "会計年度任用",
        "name": "氏名", "reading": "ふりがな", "former_name": "旧姓", "rank": "職位順", "start": "開始日", "end": "終了日",
        "none": "なし", "from": "{}から", "until": "{}まで", "cancelled": "取消({}から)",
        "reopened": "再開", "close": "名簿にない所属(閉鎖します)",
        "kept_department": "名簿にない所属(そのままにします。閉鎖するには --close-missing)",
        "occupied": "名簿にない所属(在籍者がいるため閉鎖しません)",
        "reordered": "建制順が変わる所属 {}",
        "namesake": "同じログイン名の停止中の職員がいます(別の人として追加します。同じ人なら --returning {})",
        "returning": "停止中のアカウントを再開します",
        "leaves": "名簿にない職員(停止します)",
        "unlisted": "名簿にない職員(そのままにします。停止するには --disable-missing)",
        "ignored": "読まない列: {}",
        "summary": "所属 追加{} 変更{} 閉鎖{} / 職員 追加{} 変更{} 停止{} / 発令 追加{} 変更{} 終了{}",
    },
    "en": {
        "departments": "Departments", "people": "People", "appointments": "Appointments", "nothing": "Nothing to change",
        MAIN: "main", CONCURRENT: "concurrent", JOINT: "joint", ANNUAL: "annual",
        "name": "name", "reading": "reading", "former_name": "former name", "rank": "rank", "start": "first day",
        "end": "last day", "none": "none", "from": "from {}", "until": "until {}", "cancelled": "cancelled (from {})",
        "reopened": "reopened", "close": "not in the file (will be closed)",
        "kept_department": "not in the file (stays; --close-missing closes it)",
        "occupied": "not in the file (not closed: people are appointed there)",
        "reordered": "departments in another order: {}",
        "namesake": "a disabled person had this login (added as somebody else; --returning {} if it is the same person)",
        "returning": "the disabled account is enabled again",
        "leaves": "not in the file (will be disabled)",
        "unlisted": "not in the file (stays; --disable-missing disables)",
        "ignored": "Columns not read: {}",
        "summary": "Departments +{} ~{} closed {} / people +{} ~{} disabled {} / appointments +{} ~{} ended {}",
    },
}  # fmt: skip

_ON_A_PAGE: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "kept_department": "名簿にない所属(そのままにします)",
        "namesake": "同じログイン名の停止中の職員がいます(別の人として追加します。同じ人なら「復帰する人」に{}と入力してください)",
        "unlisted": "名簿にない職員(そのままにします)",
    },
    "en": {
        "kept_department": "not in the file (stays)",
        "namesake": "a disabled person had this login (added as somebody else; if it is the same, enter {} as returning)",
        "unlisted": "not in the file (stays)",
    },
}  # fmt: skip
"""Where there are fields instead of options."""


def counts(difference: Difference) -> dict[str, dict[str, int]]:
    """Numbers for machines."""
    tree, plans = difference.tree, difference.people
    return {
        "departments": {
            "added": len(tree.added), "changed": len(tree.changed), "closed": len(difference.closing),
            "reordered": tree.reordered,
        },
        "people": {
            "added": sum(plan.person is None for plan in plans),
            "changed": sum(plan.returning or any(plan.renamed()) for plan in plans),
            "disabled": sum(plan.leaves for plan in plans),
        },
        "appointments": {
            "added": sum(len(plan.new) for plan in plans),
            "changed": sum(len(plan.altered) for plan in plans),
            "ended": sum(len(plan.ended) + len(plan.cancelled) for plan in plans),
        },
    }  # fmt: skip


def lines(difference: Difference, language: str, *, on_a_page: bool = False) -> list[str]:
    """The text, line by line; what it advises names options of the command line, or fields of the page."""
    words = _WORDS[language] | (_ON_A_PAGE[language] if on_a_page else {})
    return list(_Report(difference, words).lines())


class _Report:
    def __init__(self, difference: Difference, words: dict[str, str]) -> None:
        self._difference = difference
        self._words = words
        self._paths = dict(difference.tree.before)
        for node in difference.tree.order:
            if node.was is not None:
                self._paths[node.was.id] = node.path

    def lines(self) -> Iterator[str]:
        words = self._words
        if self._difference.ignored:
            yield words["ignored"].format(", ".join(self._difference.ignored))
        for title, section in (
            ("departments", self._departments()), ("people", self._people()), ("appointments", self._appointments()),
        ):  # fmt: skip
            found = [f"  {line}" for line in section]
            if found:
                yield words[title]
                yield from found
        if self._difference.empty():
            yield words["nothing"]
            return
        numbers = counts(self._difference)
        d, p, a = numbers["departments"], numbers["people"], numbers["appointments"]
        yield words["summary"].format(
            d["added"], d["changed"], d["closed"], p["added"], p["changed"], p["disabled"], a["added"], a["changed"],
            a["ended"],
        )  # fmt: skip

    def _departments(self) -> Iterator[str]:
        difference, words = self._difference, self._words
        for node in difference.tree.added:
            yield f"+ {node.code} {node.path}"
        for node in difference.tree.changed:
            assert node.was is not None
            was = difference.tree.before[node.was.id]
            note = f" ({words['reopened']})" if node.was.closed_at is not None else ""
            if node.code != node.was.code:
                was = f"{node.was.code} {was}"
            yield f"~ {node.code} {node.path} ← {was}{note}"
        if difference.tree.reordered:
            yield "~ " + words["reordered"].format(difference.tree.reordered)
        for node in difference.tree.missing:
            if node in difference.closing:
                yield f"- {node.code} {node.path} {words['close']}"
            elif difference.options.close_missing:
                yield f"! {node.code} {node.path} {words['occupied']}"
            else:
                yield f"! {node.code} {node.path} {words['kept_department']}"

    def _people(self) -> Iterator[str]:
        words = self._words
        for plan in self._difference.people:
            if plan.person is None:
                yield f"+ {plan.login} {plan.name}({plan.reading})"
            for field, new, old in plan.renamed():
                yield f"~ {plan.login} {words[field]} {new} ← {old or words['none']}"
            if plan.returning:
                yield f"~ {plan.login} {plan.name} {words['returning']}"
            if plan.leaves:
                yield f"- {plan.login} {plan.name} {words['leaves']}"
        for plan in self._difference.people:
            if plan.namesake:
                yield f"! {plan.login} {plan.name} {words['namesake'].format(plan.login)}"
        if not self._difference.options.disable_missing:
            for person in self._difference.unlisted:
                yield f"! {person.login} {person.name} {words['unlisted']}"

    def _appointments(self) -> Iterator[str]:
        words = self._words
        for plan in self._difference.people:
            for term in plan.new:
                yield f"+ {self._of(plan, term, term.node.path)} {self._period(term)}"
            for old, term in plan.altered:
                yield f"~ {self._of(plan, old, term.node.path)} {', '.join(self._altered(old, term))}"
            end = staff_days.begin(self._difference.options.as_of)
            for old in plan.ended:
                yield f"- {self._of(plan, old, self._paths[old.department_id])} {words['until'].format(_last(end))}"
            for old in plan.cancelled:
                begins = words["cancelled"].format(staff_days.day_of(old.starts_at))
                yield f"- {self._of(plan, old, self._paths[old.department_id])} {begins}"

    def _of(self, plan: PersonPlan, what: Term | Appointment, path: str) -> str:
        return f"{plan.login} {plan.name} {self._words[what.kind]} {path} {what.post}"

    def _period(self, term: Term) -> str:
        period = self._words["from"].format(staff_days.day_of(term.starts_at))
        if term.ends_at is None:
            return period
        return f"{period} {self._words['until'].format(_last(term.ends_at))}"

    def _altered(self, old: Appointment, term: Term) -> Iterator[str]:
        words = self._words
        pairs: list[tuple[str, Any, Any]] = [
            ("rank", term.rank, old.rank),
            ("start", staff_days.day_of(term.starts_at), staff_days.day_of(old.starts_at)),
            ("end", _last(term.ends_at) or words["none"], _last(old.ends_at) or words["none"]),
        ]
        for field, new, was in pairs:
            if new != was:
                yield f"{words[field]} {new} ← {was}"


def _last(ends_at: int | None) -> str:
    """The last day that counts."""
    return "" if ends_at is None else str(staff_days.day_of(ends_at - 1))
