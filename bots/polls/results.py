"""What was answered: counted for the card, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_server.bot_api import Answer, Field, sheet

NAMED: Final = 20
"""People that the card names for each choice."""


def counted(answers: Sequence[Answer], choices: Sequence[str], *, secret: bool) -> list[list[str]]:
    """Rows of [choice, how many and, where it is not secret, who]."""
    rows = []
    for choice in choices:
        chosen = [answer for answer in answers if choice in _chosen(answer)]
        names = "、".join(answer.name for answer in chosen[:NAMED]) if not secret else ""
        more = f" ほか{len(chosen) - NAMED}名" if names and len(chosen) > NAMED else ""
        rows.append([choice, f"{len(chosen)}" + (f"（{names}{more}）" if names else "")])
    return rows


def _chosen(answer: Answer) -> list[str]:
    chosen = answer.values.get("choice", [])
    return [chosen] if isinstance(chosen, str) else chosen


def table(answers: Sequence[Answer], fields: Sequence[Field], *, secret: bool) -> bytes:
    """As CSV, with whose answers they are, unless it is secret."""
    labels = [field.label for field in fields]
    rows = [labels if secret else ["所属", "氏名", *labels, "回答日時"]]
    for answer in answers:
        values = [_cell(answer, field) for field in fields]
        at = f"{answer.at:%Y-%m-%d %H:%M}" if answer.at else ""
        rows.append(values if secret else [answer.department, answer.name, *values, at])
    return sheet(rows)


def _cell(answer: Answer, field: Field) -> str:
    value = answer.values.get(field.key, "")
    return value if isinstance(value, str) else "、".join(value)
