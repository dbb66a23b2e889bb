"""Who calls the lab's S3: the lab's own key, which may do everything, or a machine with its instance's role."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from moto.iam.access_control import IAMPolicy, PermissionResult

from hanger_lab.ec2.door import running_instances
from hanger_lab.ec2.metadata import role_credentials
from hanger_lab.keys import AccessKey

_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)


@dataclass(frozen=True)
class Caller:
    """A key, the token that must come with it, and the documents of the policies that limit it; None: no limit."""

    key: AccessKey
    token: str = ""
    policies: tuple[str, ...] | None = None

    def genuine(self, token: str) -> bool:
        """Tell whether the token is the one that belongs to the key."""
        return hmac.compare_digest(self.token.encode(), token.encode())

    def may(self, action: str, resource: str) -> bool:
        """Tell whether the policies allow an action, such as `s3:GetObject`, on the ARN of a resource."""
        if self.policies is None:
            return True
        answers = [IAMPolicy(document).is_action_permitted(action, resource) for document in self.policies]
        return PermissionResult.PERMITTED in answers and PermissionResult.DENIED not in answers


class Callers:
    """Finds who has an access key; `secret` is what the metadata service makes credentials with."""

    def __init__(
        self, key: AccessKey, secret: bytes, instances: Callable[[], Iterator[Any]] = running_instances
    ) -> None:
        self._own = Caller(key)
        self._secret = secret
        self._instances = instances

    def find(self, access_key: str) -> Caller | None:
        """Return who has the key, None when nobody has it, or not any more."""
        if hmac.compare_digest(access_key.encode(), self._own.key.access_key.encode()):
            return self._own
        now = datetime.now(UTC)
        for instance in list(self._instances()):
            for role, given in role_credentials(instance, self._secret, now):
                if hmac.compare_digest(access_key.encode(), given["AccessKeyId"].encode()):
                    key = AccessKey(given["AccessKeyId"], given["SecretAccessKey"])
                    return Caller(key, given["Token"], tuple(_documents(role)))
        return None


def _documents(role: Any) -> Iterator[str]:
    """Yield the documents of a role's policies; what they allow on a condition is left out, for none is evaluated."""
    inline = role.policies.values()
    managed = (policy.default_version.document for policy in role.managed_policies.values())
    for found in (*inline, *managed):
        document = json.loads(found) if isinstance(found, str) else found
        statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        kept = [each for each in statements if each["Effect"] == "Deny" or "Condition" not in each]
        yield json.dumps({**document, "Statement": kept})


def resources(action: str, path: str, body: bytes, copied: str = "") -> Iterable[tuple[str, str]]:
    """Return what a request needs: pairs of an action and the ARN that it is for; `copied` is what is copied from."""
    bucket, _, key = path.lstrip("/").partition("/")
    place = f"arn:aws:s3:::{bucket}" if bucket else "*"
    if copied:
        yield "s3:GetObject", f"arn:aws:s3:::{unquote(copied).lstrip('/').partition('?')[0]}"
    if action == "DeleteObject" and not key:
        for name in _KEY.findall(body):
            yield "s3:DeleteObject", f"{place}/{name.decode()}"
    else:
        yield f"s3:{action}", f"{place}/{key}" if key else place
