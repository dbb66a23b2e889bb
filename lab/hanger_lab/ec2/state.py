"""What the lab's EC2 remembers over a restart: moto's books, written to one file after each call that changes them."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import moto
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.rds.models import rds_backends
from moto.s3.models import s3_backends

from hanger_lab.ec2.differences import IAM_PARTITION, add_images
from hanger_lab.ec2.images import Image

log = logging.getLogger(__name__)

REGIONAL: dict[str, Any] = {"ec2": ec2_backends, "rds": rds_backends}
SERVICES: dict[str, Any] = {**REGIONAL, "iam": iam_backends, "s3": s3_backends}
POLICY = "aws-managed-policy"


class StateError(RuntimeError):
    """The saved state cannot be used; the message says what to do."""


class State:
    """The file with the books of EC2, RDS, IAM and S3. Policies that AWS manages are kept by name, not by value."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self) -> None:
        """Write the file whole or not at all; raise OSError when it cannot be written."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            draft.chmod(0o600)
            pickle.dump(moto.__version__, file)
            _Pickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(list(_books()))
        draft.replace(self._path)

    def restore(self, images: Mapping[str, Image]) -> bool:
        """Read the file into moto, add images that are new; return whether there was one; raise StateError."""
        if not self._path.exists():
            return False
        try:
            with self._path.open("rb") as file:
                version = pickle.load(file)  # noqa: S301 - written by this class, readable by its owner only
                if version != moto.__version__:
                    raise StateError(f"{self._path} is of moto {version}, this is moto {moto.__version__}: {_ADVICE}")
                books = _Unpickler(file).load()
        except StateError:
            raise
        except Exception as error:
            raise StateError(f"{self._path} cannot be read ({type(error).__name__}: {error}): {_ADVICE}") from error
        for service, account, region, backend in books:
            SERVICES[service][account][region] = backend
            if service == "ec2":
                add_images(backend, images)
            elif service == "s3":
                s3_backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (region, account)))
        log.info("restored %d books from %s", len(books), self._path)
        return True


_ADVICE = "remove the lab with `hanger-lab down` and create it again"


def _books() -> Iterator[tuple[str, str, str, Any]]:
    for service, accounts in SERVICES.items():
        for account, regions in accounts.items():
            for region, backend in regions.items():
                if service in REGIONAL or region == IAM_PARTITION:
                    yield service, account, region, backend


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> tuple[str, str, int] | None:
        return (POLICY, obj.name, obj.attachment_count) if isinstance(obj, AWSManagedPolicy) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._policies: dict[str, Any] | None = None

    def persistent_load(self, pid: Any) -> Any:
        _, name, attachment_count = pid
        if self._policies is None:
            policies = iam_backends[DEFAULT_ACCOUNT_ID][IAM_PARTITION].aws_managed_policies
            self._policies = {policy.name: policy for policy in policies}
        policy = self._policies[name]
        policy.attachment_count = attachment_count
        return policy
