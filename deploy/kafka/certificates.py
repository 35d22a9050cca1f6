"""A certificate authority and a server certificate for development, made once:

    python certificates.py DIRECTORY NAME…

`DIRECTORY/ca.pem` is for clients, `DIRECTORY/kafka.pem` (key and certificate) for the server of the
given names and addresses. The authority's own key is thrown away: a new name needs a new directory.
In production both come from your own authority.
"""

import contextlib
import ipaddress
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = 825
_ISSUER = "Nastavnik development"


def main(directory: Path, names: list[str]) -> None:
    if (directory / "kafka.pem").exists():
        return
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _named(_ISSUER, ca_key.public_key(), ca_key.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(signs_certificates=True), critical=True)
    authority = ca.sign(ca_key, hashes.SHA256())
    server = _named(names[0], server_key.public_key(), ca_key.public_key())
    server = server.add_extension(x509.SubjectAlternativeName(map(_general, names)), critical=False)
    server = server.add_extension(_usage(signs_certificates=False), critical=True)
    certificate = server.sign(ca_key, hashes.SHA256())
    private = server_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = serialization.Encoding.PEM
    _write(directory / "ca.pem", authority.public_bytes(pem), 0o644)
    # the server runs as another user, in our group
    _write(directory / "kafka.pem", private + certificate.public_bytes(pem), 0o640)


def _named(
    subject: str, key: ec.EllipticCurvePublicKey, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """With all that a strict client asks for (RFC 5280), as Python's own is from 3.13 on."""
    now = datetime.now(UTC)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _ISSUER)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(authority, critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole, and never with a wider mode than it is to have."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    fresh.rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
