"""What an error is: its kind, which has a number, and that it happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of error. `ja` and `en` may hold `{param}` places and say what to do next."""

    code: int
    name: str
    status: int
    """the HTTP status of the same error"""
    ja: str
    en: str


class Problem(Exception):
    """A `Fault` that happened: which field, with which parameters."""

    def __init__(self, fault: Fault, field: str | None = None, **params: Any) -> None:
        super().__init__(f"{fault.code} {fault.name}" + (f" ({field})" if field else ""))
        self.fault = fault
        self.field = field
        self.params = params

    def as_dict(self) -> dict[str, Any]:
        """The wire form, the same over WebSocket and HTTP."""
        params = {"field": self.field or "", **self.params}
        return {
            "code": self.fault.code,
            "name": self.fault.name,
            "field": self.field,
            "params": self.params,
            "ja": _fill(self.fault.ja, params),
            "en": _fill(self.fault.en, params),
        }


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def _fill(text: str, params: dict[str, Any]) -> str:
    return text.format_map(_Blank(params))
