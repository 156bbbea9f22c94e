"""What a staff file does to people and their appointments (docs/staff-csv.md, "People and appointments"). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from chat_server.domain.actors import MEMBER
from chat_server.services import staff_days
from chat_server.services.staff_file import Place, place
from chat_server.services.staff_rows import END, LOGIN_NAME, StaffRow
from chat_server.services.staff_text import Fault
from chat_server.services.staff_tree import Node
from chat_server.storage.queries.departments import Appointment
from chat_server.storage.queries.people import Person


@dataclass(frozen=True, slots=True)
class Term:
    """An appointment as it will be; times in UTC milliseconds."""

    node: Node
    kind: str
    post: str
    rank: int
    starts_at: int
    ends_at: int | None


@dataclass(slots=True)
class PersonPlan:
    """Everything that happens to one person, in one transaction."""

    login: str
    name: str
    reading: str
    former: str | None
    """None leaves what the server has"""
    person: Person | None = None
    """None: a new account"""
    returning: bool = False
    namesake: bool = False
    """the login was somebody else's once"""
    leaves: bool = False
    """disabled, for not being in the file"""
    new: list[Term] = field(default_factory=list)
    altered: list[tuple[Appointment, Term]] = field(default_factory=list)
    ended: list[Appointment] = field(default_factory=list)
    cancelled: list[Appointment] = field(default_factory=list)
    seen: list[Appointment] = field(default_factory=list)
    """what the plan is based on"""

    def renamed(self) -> Iterator[tuple[str, str, str]]:
        """(field, new, old)."""
        if self.person is None or self.leaves:
            return
        if self.name != self.person.name:
            yield "name", self.name, self.person.name
        if self.reading != self.person.reading:
            yield "reading", self.reading, self.person.reading
        if self.former is not None and self.former != self.person.former_name:
            yield "former_name", self.former, self.person.former_name or ""

    def changes(self) -> bool:
        """Whether there is anything to do."""
        appointments = self.new or self.altered or self.ended or self.cancelled
        return bool(self.person is None or self.returning or self.leaves or appointments or any(self.renamed()))


@dataclass(slots=True)
class Staff:
    """Who is on the server."""

    holders: dict[str, Person]
    """by login, those who are not disabled"""
    former: dict[str, Person]
    """by login, the one disabled last"""
    appointments: dict[int, list[Appointment]]

    @classmethod
    def of(cls, people: Sequence[Person], appointments: Sequence[Appointment]) -> Staff:
        by_user: dict[int, list[Appointment]] = {}
        for appointment in appointments:
            by_user.setdefault(appointment.user_id, []).append(appointment)
        gone = sorted((p for p in people if p.disabled_at is not None), key=lambda p: (p.disabled_at or 0, p.user_id))
        return cls(
            {person.login: person for person in people if person.disabled_at is None},
            {person.login: person for person in gone if person.kind == MEMBER},
            by_user,
        )


def plan_people(
    staff: Staff,
    rows: Sequence[StaffRow],
    places: dict[Place, Node],
    codes: dict[tuple[str, ...], str],
    as_of: date,
    returning: frozenset[str],
    faults: list[Fault],
) -> list[PersonPlan]:
    """One plan for each login, in the order of the file."""
    by_login: dict[str, list[StaffRow]] = {}
    for row in rows:
        by_login.setdefault(row.login, []).append(row)
    plans = []
    for login, theirs in by_login.items():
        holder = staff.holders.get(login)
        if holder is not None and holder.kind != MEMBER:
            faults.append(
                Fault(theirs[0].line, LOGIN_NAME, "ゲストかボットのログイン名です / a guest or bot has this login")
            )
            continue
        plan = _begin(login, theirs, holder, staff.former.get(login), returning)
        if plan.person is not None:
            plan.seen = staff.appointments.get(plan.person.user_id, [])
        _Appointments(plan, as_of, faults).compare([(row, places.get(place(row, codes))) for row in theirs])
        plans.append(plan)
    return plans


def plan_leaving(person: Person, appointments: list[Appointment], as_of: date) -> PersonPlan:
    """Somebody who is not in the file and is to be disabled."""
    plan = PersonPlan(person.login, person.name, person.reading, None, person, leaves=True, seen=appointments)
    _Appointments(plan, as_of, []).compare([])
    return plan


def _begin(
    login: str, rows: list[StaffRow], holder: Person | None, former: Person | None, returning: frozenset[str]
) -> PersonPlan:
    first = rows[0]
    given = next((row.former for row in rows if row.former), None)
    plan = PersonPlan(login, first.name, first.reading, given, holder)
    if holder is None and former is not None:
        if login in returning:
            plan.person, plan.returning = former, True
        else:
            plan.namesake = True
    return plan


class _Appointments:
    """One person's rows against one person's appointments."""

    def __init__(self, plan: PersonPlan, as_of: date, faults: list[Fault]) -> None:
        self._plan = plan
        self._as_of = as_of
        self._from = staff_days.begin(as_of)
        self._faults = faults
        self._running = [a for a in plan.seen if a.ends_at is None or a.ends_at > self._from]
        self._past = [a for a in plan.seen if a.ends_at is not None and a.ends_at <= self._from]

    def compare(self, rows: list[tuple[StaffRow, Node | None]]) -> None:
        # Those that agree in the first day too come first: two rows may differ in nothing else.
        left = [(row, node) for row, node in rows if node is not None and not self._same(row, node, exactly=True)]
        for row, node in left:
            if not self._same(row, node, exactly=False):
                self._appoint(row, node)
        for appointment in self._running:
            if appointment.starts_at >= self._from:
                self._plan.cancelled.append(appointment)
            else:
                self._plan.ended.append(appointment)

    def _same(self, row: StaffRow, node: Node, *, exactly: bool) -> bool:
        """Bring the appointment that the row means, if it runs, to the row's terms."""
        begins = staff_days.begin(row.start) if row.start else None
        for appointment in self._running:
            if _is_it(row, node, appointment) and (not exactly or appointment.starts_at == begins):
                self._running.remove(appointment)
                term = self._term(row, node, row.start or staff_days.day_of(appointment.starts_at))
                kept = Term(node, row.kind, row.post, appointment.rank, appointment.starts_at, appointment.ends_at)
                if row.start is None:
                    term = Term(node, row.kind, row.post, row.rank, appointment.starts_at, term.ends_at)
                if term != kept and self._in_order(row, term):
                    self._plan.altered.append((appointment, term))
                return True
        return False

    def _appoint(self, row: StaffRow, node: Node) -> None:
        term = self._term(row, node, row.start or self._as_of)
        if term.ends_at is not None and term.ends_at <= self._from:
            for appointment in self._past:
                same_start = row.start is None or appointment.starts_at == term.starts_at
                if _is_it(row, node, appointment) and appointment.ends_at == term.ends_at and same_start:
                    return
        if self._in_order(row, term):
            self._plan.new.append(term)

    def _in_order(self, row: StaffRow, term: Term) -> bool:
        if term.ends_at is None or term.starts_at < term.ends_at:
            return True
        self._faults.append(Fault(row.line, END, "開始日(空欄は取込日)より前です / before the first day"))
        return False

    def _term(self, row: StaffRow, node: Node, first: date) -> Term:
        last = row.last_day(first)
        ends_at = staff_days.after(last) if last else None
        return Term(node, row.kind, row.post, row.rank, staff_days.begin(first), ends_at)


def _is_it(row: StaffRow, node: Node, appointment: Appointment) -> bool:
    return (
        node.was is not None
        and appointment.department_id == node.was.id
        and appointment.kind == row.kind
        and appointment.post == row.post
    )
