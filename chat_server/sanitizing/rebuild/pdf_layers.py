"""Layers (optional content, ISO 32000-1, 8.11), settled in the state in which the document opens.

What is hidden then is left out, not hidden: the file is read by people who do not know the switch, and a layer that a timer or a script
or another program's default turns on is a way to show them something else than what was checked.
"""

from __future__ import annotations

from typing import Final

from pikepdf import Array, Dictionary, Object, String

from chat_server.sanitizing.rebuild.pdf_content import Property
from chat_server.sanitizing.rebuild.pdf_streams import entry, said

_MOST: Final = 20_000
_DEEPEST: Final = 12


class Layers:
    """`count`: of the layers that the document has."""

    def __init__(self, root: Object) -> None:
        properties = root.get("/OCProperties")
        settings = properties.get("/D") if isinstance(properties, Dictionary) else None
        groups = properties.get("/OCGs") if isinstance(properties, Dictionary) else None
        self.count = len(groups) if isinstance(groups, Array) else 0
        self._states: dict[tuple[int, int], bool] = {}
        self._shown = True
        if isinstance(settings, Dictionary):
            self._shown = said(settings.get("/BaseState")) != "/OFF"
            self._set(settings.get("/ON"), True)
            self._set(settings.get("/OFF"), False)
            self._automatic(settings.get("/AS"))

    def _set(self, groups: object, shown: bool) -> None:
        for group in _items(groups):
            self._states[group.objgen] = shown

    def _automatic(self, usages: object) -> None:
        """What is set by the occasion (table 102): that of viewing."""
        for usage in _items(usages):
            if said(usage.get("/Event")) != "/View":
                continue
            for group in _items(usage.get("/OCGs")):
                uses = group.get("/Usage")
                view = uses.get("/View") if isinstance(uses, Dictionary) else None
                state = said(view.get("/ViewState")) if isinstance(view, Dictionary) else ""
                if state:
                    self._states[group.objgen] = state != "/OFF"

    def shows(self, group: object) -> bool:
        """Whether what belongs to this group, or membership of groups, is shown. What is neither is shown."""
        if not isinstance(group, Dictionary):
            return True
        if said(group.get("/Type")) != "/OCMD":
            return self._states.get(group.objgen, self._shown)
        expression = group.get("/VE")
        if isinstance(expression, Array):
            return self._expressed(expression, 0)
        named = group.get("/OCGs")
        states = [
            self._states.get(each.objgen, self._shown)
            for each in ([named] if isinstance(named, Dictionary) else _items(named))
        ]
        if not states:
            return True
        policy = said(group.get("/P"))
        if policy == "/AllOn":
            return all(states)
        if policy == "/AnyOff":
            return not all(states)
        if policy == "/AllOff":
            return not any(states)
        return any(states)

    def _expressed(self, expression: object, depth: int) -> bool:
        if isinstance(expression, Dictionary):
            return self.shows(expression) if said(expression.get("/Type")) != "/OCMD" else True
        if depth > _DEEPEST or not isinstance(expression, Array) or not len(expression):
            return True
        states = [self._expressed(each, depth + 1) for each in list(expression)[1:100]]
        operator = said(expression[0])
        if operator == "/Not":
            return not all(states)
        return all(states) if operator == "/And" else any(states)

    def property(self, resources: object, name: str) -> Property:
        """What marked content of that name is (14.6.2)."""
        listed = resources.get("/Properties") if isinstance(resources, Dictionary) else None
        found = entry(listed, name) if isinstance(listed, Dictionary) else None
        if not isinstance(found, Dictionary):
            return Property()
        if said(found.get("/Type")) in ("/OCG", "/OCMD"):
            return Property(self.shows(found))
        words = found.get("/ActualText")
        return Property(True, words.unparse(resolved=True) if isinstance(words, String) else None)


def _items(value: object) -> list[Object]:
    if not isinstance(value, Array):
        return []
    return [each for _, each in zip(range(_MOST), value, strict=False) if isinstance(each, Dictionary)]
