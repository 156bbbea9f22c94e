"""VAPID: the server's key, made once, and what is signed with it (RFC 8292)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chat_server.clock import SystemClock
from chat_server.services import keys as service
from chat_server.services.keys import WEB_PUSH, Keys
from mobile_api.providers.vapid import LIVES, RENEWED, Signer, public_key
from tests.support.engines import open_storage

BOTH_ENGINES = True

SECRET = bytes(31) + b"\x07"
NOW = 1_790_000_000.0


def _claims(header: str, audience: str) -> dict[str, object]:
    scheme, _, parts = header.partition(" ")
    assert scheme == "vapid"
    token, key = (part.partition("=")[2] for part in parts.split(","))
    point = urlsafe_b64decode(key + "=" * (-len(key) % 4))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims: dict[str, object] = jwt.decode(token, public, ["ES256"], audience=audience, options={"verify_exp": False})
    return claims


def test_a_signature_says_who_for_whom_and_how_long() -> None:
    header = Signer(SECRET, "mailto:it@city.example").sign("https://push.example", NOW)
    assert _claims(header, "https://push.example") == {
        "aud": "https://push.example", "exp": int(NOW) + LIVES, "sub": "mailto:it@city.example",
    }  # fmt: skip
    assert header.endswith(",k=" + public_key(SECRET))
    assert len(urlsafe_b64decode(public_key(SECRET) + "=")) == 65


def test_a_signature_is_kept_for_its_origin_and_made_anew_while_the_old_one_still_holds() -> None:
    signer = Signer(SECRET, "mailto:it@city.example")
    first = signer.sign("https://push.example", NOW)
    assert signer.sign("https://push.example", NOW + RENEWED - 1) == first
    assert signer.sign("https://push.example:8443", NOW) != first
    assert (
        _claims(signer.sign("https://push.example", NOW + RENEWED), "https://push.example")["exp"]
        == NOW + RENEWED + LIVES
    )
    assert signer.sign("https://push.example", NOW - 60) != first, "a clock that was put back"


@pytest.mark.parametrize("contact", ["", "it@city.example", "mailto:", "mailto:it@localhost", "mailto:a@b.c\r\nx: y"])
def test_a_contact_that_is_none_is_refused(contact: str) -> None:
    with pytest.raises(ValueError, match="mailto:it@city"):
        Signer(SECRET, contact)


def test_the_secret_is_not_in_the_repr() -> None:
    assert repr(Signer(SECRET, "mailto:it@city.example")) == "Signer(mailto:it@city.example)"


async def test_the_key_is_made_once_and_is_one_of_the_curve(engine: str, tmp_path: Path) -> None:
    storage = await open_storage(tmp_path, SystemClock())
    try:
        first, again = Keys(), Keys()
        await service.prepare(storage, first)
        await service.prepare(storage, again)
        secret = first.current(WEB_PUSH).secret
        assert secret == again.current(WEB_PUSH).secret
        assert len(secret) == 32
        assert len(public_key(secret)) == 87
        with pytest.raises(ValueError, match="not rotated"):
            await service.rotate(storage, first, WEB_PUSH)
    finally:
        await storage.close()
