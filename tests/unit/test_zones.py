"""The one gate to a file's bytes: every combination of what it may look at, against the rules said in words."""

from __future__ import annotations

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
    if reading.rendition == ORIGINAL:
        return here <= least and (here >= origin or reading.outflow == "download")
    made_now = reading.policy_version == POLICY_VERSION or here == origin == least
    out = here >= origin or reading.outflow == "download" or (reading.outflow == "view" and reading.rendition in VIEWS)
    return made_now and out


@pytest.mark.parametrize("rendition", [*RENDITIONS, "whatever"])
def test_every_combination(rendition: str) -> None:
    tried = given = 0
    for photo, member, trust, origin, least, outflow, state, version, withdrawn in itertools.product(
        (True, False), (True, False), RANKS, RANKS, RANKS, ("text", "view", "download", "approve", "?"),
        ("ready", "pending", "failed", "missing"), (0, POLICY_VERSION), (True, False),
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


def test_nothing_as_it_was_received_enters_a_more_trusted_zone() -> None:
    for trust, origin in itertools.product(range(4), range(4)):
        reading = Reading(False, True, trust, origin, origin, "download", ORIGINAL, "ready", POLICY_VERSION, False)
        if trust > origin:
            assert may_read(reading) == "not_sanitized"
