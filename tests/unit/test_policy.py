"""The rules of an organization: defaults, what it decided itself, and that the unknown is refused."""

from __future__ import annotations

import pytest

from chat_server.domain.policy import RULES, Policy, allows, policy_of

MEMBER: frozenset[str] = frozenset()
SECTION = frozenset(("department_admin",))
WHOLE = frozenset(("organization_admin",))
OTHER = frozenset(("auditor", "records_officer"))


@pytest.mark.parametrize(
    ("own", "roles", "allowed"),
    [
        ({}, MEMBER, True),
        ({}, OTHER, True),
        ({"create_open": "department_admin"}, MEMBER, False),
        ({"create_open": "department_admin"}, OTHER, False),
        ({"create_open": "department_admin"}, SECTION, True),
        ({"create_open": "department_admin"}, WHOLE, True),
        ({"create_open": "organization_admin"}, MEMBER, False),
        ({"create_open": "organization_admin"}, SECTION, False),
        ({"create_open": "organization_admin"}, OTHER, False),
        ({"create_open": "organization_admin"}, WHOLE, True),
        ({"create_private": "organization_admin"}, MEMBER, True),  # another rule
        ({"create_open": "nobody"}, WHOLE, False),  # a value that there is not
        ({"create_open": "auditor"}, OTHER, False),
    ],
)
def test_what_an_organization_decides_takes_the_place_of_the_default(
    own: dict[str, str], roles: frozenset[str], allowed: bool
) -> None:
    assert allows(policy_of(own), "create_open", roles) is allowed


def test_a_default_can_be_loosened() -> None:
    assert not allows(policy_of({}), "share_rooms", MEMBER)
    assert allows(policy_of({"share_rooms": "member"}), "share_rooms", MEMBER)


def test_unknown_acts_are_refused_and_unknown_rules_passed_over() -> None:
    assert not allows(Policy(), "create_everything", WHOLE)
    assert policy_of({"of_a_later_version": "member"}) == Policy()
    assert not allows(policy_of({"create_everything": "member"}), "create_everything", MEMBER)


def test_every_default_is_a_value_that_the_rule_may_have() -> None:
    for rule, values in RULES.items():
        assert getattr(Policy(), rule) in values
