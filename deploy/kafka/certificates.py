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


def main(directory: Path, names: list[str]) -> None:
    if (directory / "kafka.pem").exists():
        return
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _named("Nastavnik development", "Nastavnik development", ca_key.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    authority = ca.sign(ca_key, hashes.SHA256())
    server = _named(names[0], "Nastavnik development", server_key.public_key())
    server = server.add_extension(x509.SubjectAlternativeName(map(_general, names)), critical=False)
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


def _named(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
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
