"""What a staff file would change: planned on one consistent view, and checked to the last line before anything is
written (docs/staff-csv.md). `staff_apply` does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from chat_server.domain.actors import MEMBER
from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.ports import Reader
from chat_server.services import staff_days
from chat_server.services.staff_file import StaffFile, codes_of
from chat_server.services.staff_people import PersonPlan, Staff, plan_leaving, plan_people
from chat_server.services.staff_text import Fault, invalid
from chat_server.services.staff_tree import Node, TreePlan, plan_tree
from chat_server.storage.queries import departments, people
from chat_server.storage.queries.people import Person


@dataclass(frozen=True, slots=True)
class Options:
    """`as_of`: the import's day. `returning`: logins whose disabled holders come back."""

    as_of: date
    returning: frozenset[str] = frozenset()
    disable_missing: bool = False
    close_missing: bool = False


@dataclass(slots=True)
class Difference:
    """What an import would do, and what it only remarks."""

    tree: TreePlan
    people: list[PersonPlan]
    """those with something to do"""
    unlisted: list[Person]
    """on the server, not in the file"""
    occupied: list[Node]
    """departments that are not in the file, but where people who stay are appointed: never closed"""
    options: Options
    ignored: list[str]

    @property
    def closing(self) -> list[Node]:
        """Departments that the import closes."""
        return [node for node in self.tree.missing if node not in self.occupied] if self.options.close_missing else []

    def leaving(self) -> list[Person]:
        """Those whose accounts it disables."""
        return [plan.person for plan in self.people if plan.leaves and plan.person is not None]

    def empty(self) -> bool:
        tree = self.tree
        renumbered = any(node.was is not None and node.position != node.was.position for node in tree.order)
        return not (tree.added or tree.changed or renumbered or self.closing or self.people)


async def plan(reader: Reader, org_id: int, file: StaffFile, options: Options) -> Difference:
    """The difference between `file` and the organization. Raises `Problem` 6006 with all faults, 2001 (options)."""
    _check(reader.now, file, options)
    everybody = await people.of_organization(reader, org_id)
    staff = Staff.of(everybody, await departments.appointments_of_all(reader, org_id))
    faults: list[Fault] = []
    tree = plan_tree(await departments.all_departments(reader, org_id), file.rows, faults)
    plans = plan_people(
        staff, file.rows, tree.places, codes_of(file.rows), options.as_of, options.returning, faults
    )  # fmt: skip
    if faults:
        raise invalid(faults)
    listed = {row.login for row in file.rows}
    unlisted = [p for p in everybody if p.kind == MEMBER and p.disabled_at is None and p.login not in listed]
    if options.disable_missing:
        plans += [plan_leaving(p, staff.appointments.get(p.user_id, []), options.as_of) for p in unlisted]
    occupied = _occupied(tree, staff, plans, options.as_of)
    difference = Difference(tree, [p for p in plans if p.changes()], unlisted, occupied, options, file.ignored)
    tree.number(difference.closing)
    return difference


def _check(now: int, file: StaffFile, options: Options) -> None:
    unknown = options.returning - {row.login for row in file.rows}
    if unknown:
        raise Problem(
            INVALID_FIELD, field="returning", reason=f"ファイルにありません / not in the file: {min(unknown)}"
        )
    today = staff_days.day_of(now)
    if (options.disable_missing or options.close_missing) and options.as_of > today:
        # Both take effect at once: on 25 March they would turn away people who work until the 31st.
        reason = "停止・閉鎖はすぐに効くため、その日になってから / these act at once: wait for the day"
        raise Problem(INVALID_FIELD, field="as_of", reason=reason)


def _occupied(tree: TreePlan, staff: Staff, plans: list[PersonPlan], as_of: date) -> list[Node]:
    begin = staff_days.begin(as_of)
    over = {a.id for plan in plans for a in (*plan.ended, *plan.cancelled)}
    over |= {a.id for plan in plans for a, term in plan.altered if term.ends_at is not None and term.ends_at <= begin}
    present = {person.user_id for person in staff.holders.values()}
    occupied = {
        a.department_id
        for user_id, appointments in staff.appointments.items()
        for a in appointments
        if user_id in present and a.id not in over and (a.ends_at is None or a.ends_at > begin)
    }
    found = [node for node in tree.missing if node.was is not None and node.was.id in occupied]
    above = {id(node) for inner in found for node in _above(inner)}
    return [node for node in tree.missing if node in found or id(node) in above]


def _above(node: Node) -> list[Node]:
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found
