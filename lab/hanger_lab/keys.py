"""The secrets of a lab: its EC2's access key, and the key pair that logs in to its Snowflake account."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hanger_lab.files import private_directory, write_private

KEY_BITS = 2048
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class KeyPair:
    """The files of a key pair: PKCS#8 and PEM of the public half."""

    private: Path
    public: Path


@dataclass(frozen=True)
class AccessKey:
    """What calls of the lab's EC2 are signed with."""

    access_key: str
    secret_key: str = field(repr=False)


def ec2_key(directory: Path) -> AccessKey:
    """Return the access key in `secrets/ec2.json`, made once; the file is its owner's alone."""
    path = directory / "secrets" / "ec2.json"
    private_directory(path.parent)
    if not path.is_file():
        made = AccessKey("LAB" + "".join(secrets.choice(LETTERS) for _ in range(17)), secrets.token_urlsafe(30))
        write_private(path, json.dumps(asdict(made)).encode())
    return AccessKey(**json.loads(path.read_text()))


def provisioner_key(directory: Path) -> KeyPair:
    """Return the key pair under `secrets/`, made once; the private half is its owner's alone."""
    folder = directory / "secrets" / "snowflake"
    pair = KeyPair(folder / "hanger_provisioner.p8", folder / "hanger_provisioner.pub")
    if pair.private.is_file() and pair.public.is_file():
        return pair
    private_directory(folder.parent)
    private_directory(folder)
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(pair.public, public)
    write_private(pair.private, private)
    return pair
