"""The one gate to a file's bytes: every combination of what it may look at, against the rules said in words."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from chat_server.domain.zones import (
    FLATTENED,
    ORIGINAL,
    PASSED,
    POLICY_VERSION,
    RENDITIONS,
    SANITIZED,
    Reading,
    may_read,
    outward,
    widens,
)

VIEWS = set(RENDITIONS) - {ORIGINAL, PASSED, SANITIZED, FLATTENED}
RANKS = (-1, 0, 1, 2)


def allowed(reading: Reading) -> bool:
    """docs/protocol.md and the design's zones, the other way round: what has to hold for bytes to be given."""
    here, origin, least = reading.trust, reading.origin_trust, reading.least_trust
    sealed = reading.rendition in (ORIGINAL, PASSED) and reading.photo
    if not reading.member or reading.withdrawn or sealed or min(here, origin, least) < 0 or reading.state != "ready":
        return False
    if reading.access not in ("download", "cache") and not (reading.access == "view" and reading.rendition in VIEWS):
        return False
    out = here >= origin or reading.outflow == "download" or (reading.outflow == "approve" and reading.approved)
    out = out or (reading.outflow in ("view", "approve") and reading.rendition in VIEWS)
    if reading.rendition == ORIGINAL:
        return here <= least and out
    made_now = reading.policy_version == POLICY_VERSION or here == origin == least
    return made_now and out


OUTFLOWS = ("text", "view", "download", "approve", "?")


@pytest.mark.parametrize("rendition", [*RENDITIONS, "whatever"])
def test_every_combination(rendition: str) -> None:
    tried = given = 0
    for photo, member, trust, origin, least, outflow, state, version, withdrawn in itertools.product(
        (True, False), (True, False), RANKS, RANKS, RANKS, OUTFLOWS, ("ready", "pending", "failed", "missing"),
        (0, POLICY_VERSION), (True, False),
    ):  # fmt: skip
        if least > origin:
            continue  # the least trusted way is at most the file's own
        for access in ("text", "view", "download", "cache", "?"):
            reading = Reading(
                photo, member, trust, origin, least, outflow, rendition, state, version, withdrawn, access
            )
            expected = rendition != "whatever" and allowed(reading)
            assert (may_read(reading) == "") == expected, reading
            tried += 1
            given += expected
    assert tried > 10_000
    assert bool(given) == (rendition != "whatever")


@pytest.mark.parametrize("rendition", RENDITIONS)
def test_an_approval_changes_nothing_but_what_leaves_by_that_rule(rendition: str) -> None:
    given = set()
    for photo, trust, origin, outflow, approved, access, version in itertools.product(
        (True, False), RANKS, RANKS, OUTFLOWS, (True, False), ("text", "view", "download"), (0, POLICY_VERSION)
    ):
        reading = Reading(
            photo, True, trust, origin, origin, outflow, rendition, "ready", version, False, access, approved
        )
        assert (may_read(reading) == "") == allowed(reading), reading
        if may_read(reading) == "" and trust < origin:
            given.add((outflow, approved))
        if may_read(reading) == "not_approved":
            assert may_read(dataclasses.replace(reading, approved=True)) == ""
    if rendition in (SANITIZED, FLATTENED, ORIGINAL, PASSED):
        assert given == {("download", False), ("download", True), ("approve", True)}


def test_of_all_rules_the_strictest_lets_out() -> None:
    order = ("text", "view", "approve", "download")
    for rules in itertools.product(order, repeat=3):
        assert outward(*rules) == min(rules, key=order.index)
        assert outward(*rules, "of a newer version") == "text", "nothing leaves by what nobody knows"


def test_nothing_as_it_was_received_enters_a_more_trusted_zone() -> None:
    for trust, origin in itertools.product(range(4), range(4)):
        reading = Reading(False, True, trust, origin, origin, "download", ORIGINAL, "ready", POLICY_VERSION, False)
        if trust > origin:
            assert may_read(reading) == "not_sanitized"


def test_what_widens_a_rule() -> None:
    for (low, before), (high, after) in itertools.product(enumerate(("text", "view", "approve", "download")), repeat=2):
        assert widens(before, after) is (high > low)
    assert widens("of a newer version", "view"), "nothing leaves by what nobody knows"
    assert not widens("of a newer version", "text")
