"""What the lab's own tools ask its EC2: which machine stands at an address, and whether it admits this host.

`GET /lab/route?address=A&port=P`, with the lab's secret key as a bearer token, answers with the name of the machine and
its own address: 404 when no running instance has the address, 403 when its security groups do not admit the host, by
the rules of `rules`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import parse_qs

from moto.ec2.models import ec2_backends

from hanger_lab.ec2.fleet import permissions
from hanger_lab.ec2.rules import Ingress
from hanger_lab.keys import AccessKey

PREFIX = "/lab/"
TCP = ("tcp", "6", "-1")
Environ = dict[str, Any]
Answer = tuple[str, dict[str, Any]]
Page = Callable[[dict[str, str]], Answer]
NOT_FOUND = "404 Not Found"


class Door:
    """Answers the lab's own tools; `machine` names an instance's machine, `pages` are further pages by name."""

    def __init__(self, key: AccessKey, machine: Callable[[str], str], pages: dict[str, Page] | None = None) -> None:
        self._token = f"Bearer {key.secret_key}"
        self._machine = machine
        self._pages = {"route": self._route, **(pages or {})}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request with JSON."""
        status, answer = self._answer(environ)
        content = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def _answer(self, environ: Environ) -> Answer:
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return "401 Unauthorized", {"message": "not the secret key of this lab"}
        page = self._pages.get(environ["PATH_INFO"].removeprefix(PREFIX))
        if page is None:
            return NOT_FOUND, {"message": "no such page"}
        return page({name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()})

    def _route(self, query: dict[str, str]) -> Answer:
        address, port = query.get("address", ""), query.get("port", "")
        instance = next((found for found in running_instances() if address in addresses(found)), None)
        if instance is None or not port.isdigit():
            return NOT_FOUND, {"message": f"no running instance has the address {address}"}
        vpc = instance.ec2_backend.get_vpc(instance.vpc_id)
        if not admits(permissions(instance), IPv4Network(vpc.cidr_block, strict=False), int(port)):
            groups = ", ".join(group.name for group in instance.nics[0].group_set) or "none"
            message = f"the security groups of {instance.id} ({groups}) do not admit this host to port {port}"
            return "403 Forbidden", {"message": message}
        return "200 OK", {"machine": self._machine(instance.id), "address": instance.private_ip}


def running_instances() -> Iterator[Any]:
    """Return the instances that run, of all regions."""
    backends: Iterator[tuple[str, str, Any]] = ec2_backends.iter_backends()
    for _, _, backend in backends:
        yield from (instance for instance in backend.all_instances() if instance.state == "running")


def addresses(instance: Any) -> set[str]:
    """Return the private and public addresses of an instance."""
    interface = instance.nics[0]
    found = {instance.private_ip, getattr(instance, "public_ip", None), getattr(interface, "public_ip", None)}
    return {str(address) for address in found if address}


def admits(rules: Iterable[Ingress], vpc: IPv4Network, port: int) -> bool:
    """Tell whether rules let the lab's host in, which stands for every address outside the VPC."""
    return any(
        rule.protocol in TCP
        and (rule.first in (None, -1) or rule.protocol == "-1" or int(rule.first or 0) <= port <= int(rule.last or 0))
        and any(not source.subnet_of(vpc) for source in rule.sources)
        for rule in rules
    )
