"""Who the two ends are: a key and a certificate each, made together, each knowing the other's and trusting nothing else.

No authority signs them: whoever holds the Internet side's network can get a certificate for any name of it, and must not
become the relay by that.
"""

from __future__ import annotations

import datetime
import os
import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

RELAY, CLOSED = "relay", "closed"
_OWN, _KEY, _PEER = "own.pem", "own.key", "peer.pem"
_LIVES: Final = datetime.timedelta(days=3650)
"""Nobody else checks them, and a certificate that ends by itself ends every push with it. New ones: `keys` again."""
_SLACK: Final = datetime.timedelta(days=30)
"""For clocks that are behind."""


class NoKeys(Exception):
    """The folder cannot be used; the text says what to do."""


def make(folder: Path) -> tuple[Path, Path]:
    """Write `relay/` and `closed/` below `folder`; answers both. Raises `NoKeys` where one is there already: the other
    end would not know the new ones."""
    places = folder / RELAY, folder / CLOSED
    for place in places:
        if place.exists():
            raise NoKeys(
                f"{place} is there already. Name another folder, or remove it first; both ends need the new ones."
            )
    own = [(place, *_identity(place.name)) for place in places]
    for (place, key, certificate), (_, _, peer) in zip(own, reversed(own), strict=True):
        place.mkdir(mode=0o700, parents=True)
        _write(place / _KEY, key, 0o600)
        _write(place / _OWN, certificate, 0o644)
        _write(place / _PEER, peer, 0o644)
    return places


def context(folder: Path, *, server: bool) -> ssl.SSLContext:
    """For this end: TLS 1.3, our certificate shown, the other's demanded. Raises `NoKeys`."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    found.minimum_version = ssl.TLSVersion.TLSv1_3
    # The one certificate that is trusted is the other end's own and may sign no other: a name would add nothing.
    found.check_hostname = False
    found.verify_mode = ssl.CERT_REQUIRED
    try:
        found.load_cert_chain(folder / _OWN, folder / _KEY)
        found.load_verify_locations(folder / _PEER)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or "no certificates"
        raise NoKeys(
            f"{folder} does not hold the keys of the relay's line ({why}). Make them with `renraku push-relay keys`, and "
            f"copy the folder “{RELAY}” to the relay and “{CLOSED}” to the server."
        ) from None
    return found


def _identity(name: str) -> tuple[bytes, bytes]:
    """A private key and its certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Renraku push {name}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIVES)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
        target.write(content)
