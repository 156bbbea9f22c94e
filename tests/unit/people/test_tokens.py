"""Access tokens and the keys that sign them (security.md 17–19, and a clock off by a day)."""

from __future__ import annotations

import base64
import hmac
import json
from functools import partial
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.domain import limits
from chat_server.domain.errors import Problem
from chat_server.services import keys as key_service
from chat_server.services.actors import load_actor
from chat_server.services.keys import FILE, SENDS, TOKEN, Keys
from chat_server.services.tokens import AUDIENCE, ISSUER, MAX_CHARS, Tokens
from chat_server.storage.queries import people, sessions
from chat_server.storage.queries.keys import Key
from tests.unit.people.conftest import NOW, ZONE, MovedClock, Town, code

SECRET = b"0123456789abcdef0123456789abcdef"


def _tokens(clock: MovedClock | None = None) -> Tokens:
    keys = Keys()
    keys.replace([Key("k1", TOKEN, SECRET, 0, None), Key("f1", FILE, SECRET, 0, None)])
    return Tokens(keys, clock or MovedClock())


def _claims(**changes: Any) -> dict[str, Any]:
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "use": "access", "sub": "u" * 26, "dev": "d" * 26, "org": "o" * 26,
        "zone": ZONE, "iat": NOW // 1000, "exp": NOW // 1000 + 600,
    }  # fmt: skip
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not None}


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _raw(header: Any, claims: Any, signature: bytes = b"") -> str:
    return ".".join([_part(json.dumps(header).encode()), _part(json.dumps(claims).encode()), _part(signature)])


def _sign(claims: Any, *, key: bytes = SECRET, digest: str = "sha256", **header: Any) -> str:
    """By hand: a library would refuse to make what an attacker makes."""
    unsigned = _raw({"alg": "HS256", "kid": "k1", "typ": "at+jwt", **header}, claims).removesuffix(".")
    return f"{unsigned}.{_part(hmac.digest(key, unsigned.encode(), digest))}"


def _refused(token: str, zone: str = ZONE, tokens: Tokens | None = None) -> None:
    with pytest.raises(Problem) as problem:
        (tokens or _tokens()).verify_access(token, zone)
    assert code(problem) == 1004


def test_what_was_issued_is_accepted_in_its_zone_alone() -> None:
    tokens = _tokens()
    token, expires = tokens.issue("u1", "d1", "o1", ZONE)
    claims = tokens.verify_access(token, ZONE)
    assert (claims.user, claims.device, claims.org, claims.zone) == ("u1", "d1", "o1", ZONE)
    assert claims.expires_at == expires == NOW + limits.ACCESS_LIVES
    assert len(token) < MAX_CHARS // 2
    _refused(token, "internet", tokens)


def test_the_hand_made_token_of_these_tests_is_accepted() -> None:
    """Or the refusals below would prove nothing."""
    assert _tokens().verify_access(_sign(_claims()), ZONE).user == "u" * 26


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "", None, 1])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_the_algorithm_is_not_the_tokens_choice(alg: Any, digest: str) -> None:
    """CVE-2022-29217: alg=none and confusion between HMAC and public keys."""
    _refused(_sign(_claims(), alg=alg, digest=digest))
    _refused(_raw({"alg": alg, "kid": "k1", "typ": "at+jwt"}, _claims()))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["b64"]},
        {"crit": ["unknown"], "unknown": 1},
        {"crit": []},
        {"b64": True},
        {"jku": "https://example.invalid/keys"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5u": "https://example.invalid/cert"},
        {"cty": "JWT"},
        {"typ": "JWT"},
        {"typ": "rt+jwt"},
        {"kid": "f1"},
        {"kid": "unknown"},
        {"kid": ""},
        {"kid": "../../dev/null"},
    ],
)
def test_headers_other_than_ours_are_refused(header: dict[str, Any]) -> None:
    """Unknown `crit` (RFC 7515), keys brought along, another type, a key made for something else."""
    _refused(_sign(_claims(), **header))


@pytest.mark.parametrize("missing", ["alg", "kid", "typ"])
def test_headers_that_lack_one_of_ours_are_refused(missing: str) -> None:
    header = {"alg": "HS256", "kid": "k1", "typ": "at+jwt"}
    del header[missing]
    unsigned = _raw(header, _claims()).removesuffix(".")
    _refused(f"{unsigned}.{_part(hmac.digest(SECRET, unsigned.encode(), 'sha256'))}")


@pytest.mark.parametrize("kid", [None, 1, ["k1"], {"k1": 1}, True])
def test_a_kid_of_another_type_is_refused(kid: Any) -> None:
    _refused(_sign(_claims(), kid=kid))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"aud": [AUDIENCE, "somebody-else"]},
        {"aud": [AUDIENCE]},
        {"aud": None},
        {"iss": "somebody-else"},
        {"iss": None},
        {"use": "file"},
        {"use": "refresh"},
        {"use": None},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"sub": "u" * 65},
        {"dev": None},
        {"org": None},
        {"org": ["a"]},
        {"zone": None},
        {"zone": "internet"},
        {"iat": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1.5e300},
        {"exp": 10**30},
        {"iat": -(10**30)},
        {"iat": [1]},
        {"exp": NOW // 1000},
        {"iat": NOW // 1000 + 61},
    ],
)
def test_claims_other_than_ours_are_refused(changes: dict[str, Any]) -> None:
    """ASVS 9.2.2: wrong audience, issuer, type or purpose; missing or mistyped claims."""
    _refused(_sign(_claims(**changes)))


@pytest.mark.parametrize("length", [0, 1, 40])
def test_a_signature_that_is_not_ours_is_refused(length: int) -> None:
    _refused(_raw({"alg": "HS256", "kid": "k1", "typ": "at+jwt"}, _claims(), b"x" * length))
    _refused(_sign(_claims(), key=b"another key of thirty-two bytes!"))


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "...", "a.b.c", "\x00", "ÿ.ÿ.ÿ", "道路", "\ud800.a.b", "a" * MAX_CHARS * 2, "." * 1000,
        base64.urlsafe_b64encode(b"[" * 700).decode().rstrip("=") + ".e30.AAAA",
        base64.urlsafe_b64encode(b"[1]").decode().rstrip("=") + ".e30.AAAA",
        base64.urlsafe_b64encode(b'"alg"').decode().rstrip("=") + ".e30.AAAA",
    ],
)  # fmt: skip
def test_garbage_is_refused(text: str) -> None:
    _refused(text)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_no_text_crashes_the_verifier(text: str) -> None:
    _refused(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), _JSON),
    st.dictionaries(st.sampled_from(["iss", "aud", "sub", "iat", "exp", "use"]), _JSON),
)
@settings(deadline=None)
def test_no_json_crashes_the_verifier(header: dict[str, Any], claims: dict[str, Any]) -> None:
    _refused(_raw(header, claims, b"x" * 32))


@given(st.dictionaries(st.sampled_from(["aud", "use", "sub", "dev", "org", "iat", "exp", "nbf", "jti"]), _JSON))
@settings(deadline=None)
def test_no_signed_claims_crash_the_verifier(changes: dict[str, Any]) -> None:
    """Signed with our key: what a fault of ours could issue. Accepted or refused, never an exception of another kind."""
    try:
        _tokens().verify_access(_sign({**_claims(), **changes}), ZONE)
    except Problem as problem:
        if problem.fault.code != 1004:
            raise


def test_a_clock_off_by_a_day() -> None:
    """Forward: expired. Back: from the future, refused. Either way a refresh gives one that holds."""
    clock = MovedClock()
    tokens = _tokens(clock)
    token, _ = tokens.issue("u1", "d1", "o1", ZONE)
    for shift in (limits.DAY, -limits.DAY):
        clock.at = NOW + shift
        _refused(token, tokens=tokens)
        fresh, expires = tokens.issue("u1", "d1", "o1", ZONE)
        assert tokens.verify_access(fresh, ZONE).expires_at == expires == clock.at + limits.ACCESS_LIVES
    clock.at = NOW - 30 * limits.SECOND
    tokens.verify_access(token, ZONE)
    clock.at = NOW + limits.ACCESS_LIVES
    _refused(token, tokens=tokens)


def test_a_guests_token_ends_with_the_guest() -> None:
    tokens = _tokens()
    _, expires = tokens.issue("u1", "d1", "o1", ZONE, not_after=NOW + 5_000)
    assert expires == NOW + 5_000


async def test_a_rotated_key_verifies_until_it_retires(town: Town) -> None:
    await town.add_user("takahashi")
    session = await town.session("takahashi")
    old = town.keys.current(TOKEN)
    await key_service.rotate(town.storage, town.keys, TOKEN)
    new = town.keys.current(TOKEN)
    assert new.kid != old.kid
    town.tokens.verify_access(session.access_token, ZONE)
    fresh, _ = town.tokens.issue("u1", "d1", "o1", ZONE)
    assert jwt.get_unverified_header(fresh)["kid"] == new.kid
    assert town.keys.find(TOKEN, old.kid, town.clock.at + key_service.OVERLAP[TOKEN]) is None


async def test_a_leaked_key_can_be_dropped_at_once(town: Town) -> None:
    token, _ = town.tokens.issue("u1", "d1", "o1", ZONE)
    await key_service.rotate(town.storage, town.keys, TOKEN, at_once=True)
    _refused(token, tokens=town.tokens)


async def test_keys_are_made_once_and_retired_ones_are_removed(town: Town) -> None:
    before = {purpose: town.keys.current(purpose).kid for purpose in (TOKEN, FILE, SENDS)}
    await key_service.prepare(town.storage, town.keys)
    assert before == {purpose: town.keys.current(purpose).kid for purpose in (TOKEN, FILE, SENDS)}
    for _ in range(3):
        await key_service.rotate(town.storage, town.keys, TOKEN)
        town.clock.at += limits.DAY
    rows = await town.storage.read(lambda r: r.all("SELECT kid FROM signing_keys WHERE purpose = 'token'"))
    assert len(rows) == 2


async def test_the_key_of_sends_is_never_rotated(town: Town) -> None:
    with pytest.raises(ValueError, match="not rotated"):
        await key_service.rotate(town.storage, town.keys, SENDS)


async def test_the_actor_is_as_of_now(town: Town) -> None:
    user_id = await town.add_user("takahashi")
    session = await town.session("takahashi")
    assert (await town.actor(session)).roles == frozenset()
    for role in ("auditor", "organization_admin"):
        await town.storage.write(partial(people.grant, org_id=town.org_id, user_id=user_id, role=role, department_id=0))
    actor = await town.actor(session)
    assert actor.roles == {"auditor", "organization_admin"}
    assert actor.is_organization_admin
    await town.storage.write(lambda tx: people.disable(tx, town.org_id, user_id))
    with pytest.raises(Problem) as problem:
        await town.actor(session)
    assert code(problem) == 6009


async def test_an_ended_guest_and_a_revoked_device_are_nobody(town: Town) -> None:
    await town.add_user("guest", kind="guest", ends_at=town.clock.at + limits.MINUTE)
    session = await town.session("guest")
    actor = await town.actor(session)
    assert actor.is_guest
    claims = town.tokens.verify_access(session.access_token, ZONE)
    assert claims.expires_at <= town.clock.at + limits.MINUTE
    assert session.refresh_expires == town.clock.at + limits.MINUTE
    await town.storage.write(lambda tx: sessions.revoke(tx, actor.device_id))
    with pytest.raises(Problem) as problem:
        await town.actor(session)
    assert code(problem) == 1004


async def test_ids_that_do_not_belong_together_are_nobody(town: Town) -> None:
    """A device of somebody else, an organization of somebody else: signed, yet nobody."""
    await town.add_user("takahashi")
    await town.add_user("sato")
    one, two = await town.session("takahashi"), await town.session("sato")
    for user, device, org in [
        (one.user, two.device, town.org),
        (one.user, one.device, "o" * 26),
        ("u" * 26, one.device, town.org),
    ]:
        token, _ = town.tokens.issue(user, device, org, ZONE)
        claims = town.tokens.verify_access(token, ZONE)
        with pytest.raises(Problem) as problem:
            await town.storage.read(partial(load_actor, claims=claims, address="", most_trusted="lgwan"))
        assert code(problem) == 1004
