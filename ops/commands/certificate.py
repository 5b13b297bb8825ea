"""`ops cert`: a certificate for a local network, where nobody else makes one.

Cameras, service workers and WebCrypto want HTTPS or localhost; handhelds on a LAN
address have neither without this. The certificate is its own authority (so that a
phone can be told to trust it) and holds every name given.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ops.errors import SettingsError

DAYS = 397  # browsers refuse longer ones
_NOWHERE = ("192.0.2.1", 9)  # TEST-NET: asks the routing table, sends nothing


def run(folder: Path, names: list[str], now: datetime) -> tuple[Path, Path]:
    """Write `cert.pem` and `key.pem` into the folder; returns both paths.

    Args:
        names: host names and addresses; none means this machine's own.

    Raises:
        SettingsError: a file is there already, or cannot be written.
    """
    certificate, key = make(names or own_names(), now)
    paths = folder / "cert.pem", folder / "key.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content, mode in zip(
            paths, (certificate, key), (0o644, 0o600), strict=True
        ):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(fd, "wb") as file:
                file.write(content)
    except OSError as error:
        raise SettingsError(f"cannot write {error.filename}: {error.strerror}") from (
            error
        )
    return paths


def make(names: list[str], now: datetime) -> tuple[bytes, bytes]:
    """A certificate and its key as PEM, valid from a day ago for `DAYS` days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS - 1))
        .add_extension(
            x509.SubjectAlternativeName([_name(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    )
    certificate = builder.sign(key, hashes.SHA256())
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def own_names() -> list[str]:
    """localhost, this machine's name, and the address under which a LAN sees it."""
    names = [socket.gethostname(), "localhost", "127.0.0.1", "::1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return names
        names.append(probe.getsockname()[0])
    return list(dict.fromkeys(names))


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
