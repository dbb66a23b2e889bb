"""A source over TLS: who signed the server's certificate, its name, the time, and the client's own certificate."""

from __future__ import annotations

import ipaddress
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airbyte_support import CONFIG, PASSWORD, Api, Postgres, postgres_binaries
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates."""

    def __init__(self, name: str = "authority of the tests") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._builder(self._name, self._key, 10).add_extension(x509.BasicConstraints(True, 0), True)
        self.certificate = _pem(certificate.sign(self._key, SHA256()))

    def issue(self, name: str, days: int = 1, password: str | None = None) -> tuple[str, str]:
        """Return a certificate for 127.0.0.1 that ends in so many days, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = self._builder(subject, key, days).add_extension(names, False).sign(self._key, SHA256())
        hidden: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return _pem(certificate), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden).decode()

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=30),
            not_valid_after=now + timedelta(days=days),
        )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


@dataclass
class Server:
    """A cluster that takes connections over TLS only, and a role `certified` by a certificate besides."""

    cluster: Postgres
    authority: Authority

    def present(self, certificate: str, key: str) -> None:
        """Give the server another certificate."""
        data = self.cluster.directory / "data"
        for name, content in (
            ("server.crt", certificate),
            ("server.key", key),
            ("root.crt", self.authority.certificate),
        ):
            (data / name).write_text(content)
            (data / name).chmod(0o600)
            shutil.chown(data / name, data.owner())
        with self.cluster.connect() as admin:
            admin.execute("SELECT pg_reload_conf()")

    def check(self, api: Api, mode: dict[str, Any], **changes: Any) -> tuple[str, str]:
        """Return what Airbyte says about a source in a mode of TLS."""
        configuration = self.cluster.configuration("postgres", ssl_mode=mode, **changes)
        source = api.actor("source", "gym", configuration)
        answer = api.ask("POST", f"{CONFIG}/sources/check_connection", {"sourceId": source["sourceId"]})
        return answer["status"], answer.get("message") or ""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed")
    with tempfile.TemporaryDirectory(prefix="hanger-tls-") as directory:
        made = Server(Postgres(Path(directory), binaries), Authority())
        made.cluster.start()
        try:
            with made.cluster.connect() as admin:
                for role in ("extraction", "certified"):
                    admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
                admin.execute("CREATE TABLE public.walls (id int)")
                admin.execute("GRANT SELECT ON public.walls TO extraction, certified")
                admin.execute("ALTER SYSTEM SET ssl_ca_file = 'root.crt'")
            made.present(*made.authority.issue("127.0.0.1"))
            with made.cluster.connect() as admin:
                admin.execute("ALTER SYSTEM SET ssl = on")
            (made.cluster.directory / "data/pg_hba.conf").write_text(
                "local all admin trust\n"
                "host all admin 127.0.0.1/32 scram-sha-256\n"
                "hostssl all extraction 127.0.0.1/32 scram-sha-256\n"
                "hostssl all certified 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n"
            )
            with made.cluster.connect() as admin:
                admin.execute("SELECT pg_reload_conf()")
            yield made
        finally:
            made.cluster.stop()


@pytest.fixture
def right(server: Server) -> None:
    """Let the server have a certificate that holds."""
    server.present(*server.authority.issue("127.0.0.1"))


def verified(mode: str, authority: Authority, **more: str) -> dict[str, Any]:
    return {"mode": mode, "ca_certificate": authority.certificate, **more}


@pytest.mark.usefixtures("right")
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_server_of_the_authority_is_read(api: Api, server: Server, mode: str) -> None:
    assert server.check(api, verified(mode, server.authority)) == ("succeeded", "")


@pytest.mark.usefixtures("right")
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_server_of_another_authority_is_not_trusted(api: Api, server: Server, mode: str) -> None:
    status, message = server.check(api, verified(mode, Authority("another")))
    assert status == "failed"
    assert "certificate verify failed" in message


@pytest.mark.usefixtures("right")
def test_only_verify_full_asks_for_the_name(api: Api, server: Server) -> None:
    assert server.check(api, verified("verify-ca", server.authority), host="localhost")[0] == "succeeded"
    status, message = server.check(api, verified("verify-full", server.authority), host="localhost")
    assert status == "failed"
    assert 'does not match host name "localhost"' in message


def test_a_certificate_that_has_ended_is_not_trusted(api: Api, server: Server) -> None:
    server.present(*server.authority.issue("127.0.0.1", days=-1))
    status, message = server.check(api, verified("verify-full", server.authority))
    assert status == "failed"
    assert "certificate verify failed" in message
    assert server.check(api, {"mode": "require"})[0] == "succeeded"


@pytest.mark.usefixtures("right")
def test_a_server_that_wants_a_certificate_gets_the_clients_own(api: Api, server: Server) -> None:
    certificate, key = server.authority.issue("certified", password="of the key")
    own = {"client_certificate": certificate, "client_key": key, "client_key_password": "of the key"}
    mode = verified("verify-full", server.authority, **own)
    assert server.check(api, mode, username="certified") == ("succeeded", "")
    status, message = server.check(api, verified("verify-full", server.authority), username="certified")
    assert status == "failed"
    assert "requires a valid client certificate" in message


@pytest.mark.usefixtures("right")
def test_without_tls_the_server_lets_nobody_in(api: Api, server: Server) -> None:
    status, message = server.check(api, {"mode": "disable"})
    assert status == "failed"
    assert "no encryption" in message
