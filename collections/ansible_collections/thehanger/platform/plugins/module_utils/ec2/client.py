# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to AWS: options as amazon.aws has them, clients, and answers in words that say what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from ansible.module_utils.common.parameters import env_fallback

from .errors import Ec2Error, explain, nearest

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError
except ImportError as error:
    IMPORT_ERROR: ImportError | None = error
    BotoCoreError = type("BotoCoreError", (Exception,), {})
    ClientError = type("ClientError", (Exception,), {})
    EndpointConnectionError = type("EndpointConnectionError", (Exception,), {})
    NoCredentialsError = type("NoCredentialsError", (Exception,), {})
else:
    IMPORT_ERROR = None

__all__ = ["CONNECTION", "IMPORT_ERROR", "Aws", "ClientError", "Row", "Spec", "filters", "tags_of", "together"]
Row = dict[str, Any]
Spec = dict[str, dict[str, Any]]


def _option(*names: str, **more: Any) -> dict[str, Any]:
    return {"type": "str", "fallback": (env_fallback, list(names)), **more}


CONNECTION: Spec = {
    "region": _option("AWS_REGION", "AWS_DEFAULT_REGION", aliases=["aws_region"]),
    "endpoint_url": _option("AWS_URL", aliases=["aws_endpoint_url"]),
    "profile": _option("AWS_PROFILE", "AWS_DEFAULT_PROFILE", aliases=["aws_profile"]),
    "access_key": _option("AWS_ACCESS_KEY_ID", aliases=["aws_access_key_id"], no_log=False),
    "secret_key": _option("AWS_SECRET_ACCESS_KEY", aliases=["aws_secret_access_key"], no_log=True),
    "session_token": _option("AWS_SESSION_TOKEN", aliases=["aws_session_token"], no_log=True),
}
_THREADS = 16
_MAKING = Lock()


class Aws:
    """A session with clients that retry with jitter when AWS throttles, within reasonable time."""

    def __init__(self, options: Mapping[str, Any], hint: str = "") -> None:
        self.region = str(options.get("region") or "")
        self.hint = hint
        self._endpoint = options.get("endpoint_url")
        # Of explicit keys and a profile, the keys win, as in the AWS command line.
        profile = None if options.get("access_key") else options.get("profile")
        with self.explained("Reading the credentials"):
            self._session = boto3.session.Session(
                region_name=self.region or None,
                profile_name=profile,
                aws_access_key_id=options.get("access_key"),
                aws_secret_access_key=options.get("secret_key"),
                aws_session_token=options.get("session_token"),
            )
        self.region = self.region or str(self._session.region_name or "")
        self._check_region()
        self._clients: dict[tuple[str, int], Any] = {}

    def client(self, service: str, attempts: int = 10) -> Any:
        """Return the service's client, safe to share between threads; it makes a call this often at most."""
        if (service, attempts) not in self._clients:
            config = Config(
                connect_timeout=10,
                read_timeout=60,
                max_pool_connections=_THREADS,
                retries={"mode": "standard", "total_max_attempts": attempts},
            )
            with _MAKING:
                client = self._session.client(service, endpoint_url=self._endpoint, config=config)
            self._clients[service, attempts] = client
        return self._clients[service, attempts]

    @contextlib.contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn what AWS or the way to it answers into an error that says what to do."""
        try:
            yield
        except ClientError as failure:
            answer = failure.response["Error"]
            code = str(answer.get("Code", ""))
            raise Ec2Error(explain(code, str(answer.get("Message", "")), doing), code=code) from failure
        except NoCredentialsError as failure:
            raise Ec2Error(f"{doing}: there are no AWS credentials. {self.hint}".strip()) from failure
        except EndpointConnectionError as failure:
            raise Ec2Error(
                f"{doing}: EC2 in {self.region} does not answer: {failure}. {self.hint}".strip()
            ) from failure
        except BotoCoreError as failure:
            raise Ec2Error(f"{doing}: {failure}. {self.hint}".strip()) from failure

    def list(self, service: str, operation: str, key: str, **parameters: Any) -> list[Row]:
        """Return all pages of a list, joined."""
        client = self.client(service)
        with self.explained(f"Reading ({service}:{operation})"):
            if client.can_paginate(operation):
                pages = client.get_paginator(operation).paginate(**parameters)
                return [row for page in pages for row in page.get(key, [])]
            return list(getattr(client, operation)(**parameters).get(key, []))

    def _check_region(self) -> None:
        if not self.region:
            raise Ec2Error("region: none is set. Set it, or export AWS_REGION.")
        # STS is wherever EC2 is, and boto3 reads a description of its service that is a fiftieth of EC2's.
        known: set[str] = set()
        for partition in self._session.get_available_partitions():
            known.update(self._session.get_available_regions("sts", partition_name=partition))
            if self.region in known:
                return
        raise Ec2Error(f"region: {self.region} is no region that EC2 is in.{nearest(self.region, known)}")


def together(calls: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Make calls at the same time and return their results by name; the first that failed raises."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        futures = {name: pool.submit(call) for name, call in calls.items()}
        return {name: future.result() for name, future in futures.items()}


def tags_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return AWS's list of tags as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags") or []}


def filters(values: Mapping[str, str | Sequence[str]]) -> list[Row]:
    """Spell filters as EC2 wants them."""
    return [
        {"Name": name, "Values": [value] if isinstance(value, str) else list(value)} for name, value in values.items()
    ]
