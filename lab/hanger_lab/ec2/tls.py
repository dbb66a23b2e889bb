"""TLS for machines that insist on it, such as pgBackRest: on the port that answers plain HTTP, too."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import ThreadedWSGIServer

from hanger_lab.files import append_private, private_directory, write_private

LIFETIME = timedelta(days=3650)
HANDSHAKE_SECONDS = 10
GOODBYE_SECONDS = 1
_FIRST_BYTE = b"\x16"  # of a TLS handshake record, RFC 8446, 5.1; no method of HTTP begins with it


@dataclass(frozen=True)
class Authority:
    """The files of the lab's certificate authority; machines are given the certificate."""

    key: Path
    certificate: Path


class EitherServer(ThreadedWSGIServer):
    """A server that answers HTTPS to whom begins with a handshake, and HTTP to whom does not."""

    def __init__(self, *arguments: Any, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in the thread that is its own."""
        request.settimeout(HANDSHAKE_SECONDS)
        secure = request.recv(1, socket.MSG_PEEK) == _FIRST_BYTE
        request.settimeout(None)
        if not secure:
            super().finish_request(request, client_address)
            return
        with self._tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)
            # The answer may end where the connection does, and the client must know that nobody cut it off.
            with suppress(OSError):
                wrapped.settimeout(GOODBYE_SECONDS)
                wrapped.unwrap()


def server_context(directory: Path, address: str) -> ssl.SSLContext:
    """Return what a server at an address shows its clients; its certificate is made anew with every start."""
    issuer = authority(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    # pgBackRest compares names of hosts only, also with an address.
    names = [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName(address)]
    certificate = (
        _certificate(f"S3 of a lab at {address}", key.public_key(), _load(issuer.certificate).subject)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(_load_key(issuer.key), hashes.SHA256())
    )
    path = directory / "secrets" / "s3-server.pem"
    write_private(path, _private(key) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def authority(directory: Path) -> Authority:
    """Return the authority under `secrets/`, made once; the key is its owner's alone.

    Whoever starts the server and the server itself ask for it at the same moment.
    """
    found = Authority(directory / "secrets" / "s3-ca.key", directory / "secrets" / "s3-ca.crt")
    private_directory(found.key.parent)
    with append_private(found.key.with_suffix(".lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (found.key.is_file() and found.certificate.is_file()):
            _make(found)
    return found


def _make(found: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Certificate authority of a lab")])
    certificate = (
        _certificate("Certificate authority of a lab", key.public_key(), name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(found.key, _private(key))
    write_private(found.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _certificate(name: str, key: ec.EllipticCurvePublicKey, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _load_key(path: Path) -> Any:
    return serialization.load_pem_private_key(path.read_bytes(), None)
