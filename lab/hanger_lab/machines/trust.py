"""The certificate authorities that this host trusts, as files for machines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import certifi

from hanger_lab.machines.model import SeedFile

MACHINE_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
LOCAL_AUTHORITIES = "/usr/local/share/ca-certificates"
HOST_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
PUBLIC_AUTHORITIES = Path("/usr/share/ca-certificates")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def trust_files(environment: Mapping[str, str] = os.environ) -> dict[str, SeedFile]:
    """Return the bundle and, for `update-ca-certificates` to find, each authority that is not a public one."""
    trusted = certificates(_texts(host_bundles(environment)))
    public = set(certificates(_texts([Path(certifi.where()), *PUBLIC_AUTHORITIES.rglob("*.crt")])))
    if not trusted:
        return {}
    files = {MACHINE_BUNDLE: SeedFile("\n".join(trusted) + "\n")}
    for number, certificate in enumerate(sorted(set(trusted) - public), start=1):
        files[f"{LOCAL_AUTHORITIES}/host-{number:02}.crt"] = SeedFile(certificate + "\n")
    return files


def host_bundles(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the bundles of this host: the system's and those that the environment names."""
    named = [environment.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
    paths = [Path(path) for path in (*HOST_BUNDLES, *named) if path]
    return list(dict.fromkeys(path.resolve() for path in paths if path.is_file()))


def certificates(texts: Iterable[str]) -> list[str]:
    """Return every certificate of the texts once, in order, with normalised line ends."""
    found = (match.group().replace("\r", "") for text in texts for match in CERTIFICATE.finditer(text))
    return list(dict.fromkeys(found))


def _texts(paths: Iterable[Path]) -> list[str]:
    return [path.read_text(errors="replace") for path in paths]
