"""Failures that were ordered with `hanger-lab fault`: a small file that the running server reads at every call."""

from __future__ import annotations

import fcntl
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hanger_lab.ec2.access import Refusal
from hanger_lab.files import private_directory, write_private

FILE = "faults.json"
ALL = "all"
# How the lab's own tools call themselves: what they ask is neither refused on order nor written to the journal.
USER_AGENT = "hanger-lab-tool"
# What an account may have at the same time; AWS's defaults, but for vCPUs, which new accounts get fewer of.
QUOTAS = {"vcpus": 64, "vpcs": 5, "addresses": 5}


@dataclass(frozen=True)
class Fault:
    """One failure: of `count` calls (None: until it is cleared), or of `percent` of them.

    `target` is what fails: an action, a zone, a quota, or an instance; `limit` is what is left of a quota.
    """

    kind: str
    target: str = ALL
    count: int | None = None
    percent: int | None = None
    limit: int | None = None

    def describe(self) -> str:
        """Say in words what is in force."""
        if self.kind == "quota":
            return f"quota {self.target}: no more than {self.limit}"
        if self.kind == "partition":
            return f"partition {self.target}: nothing reaches it, it reaches nothing"
        what = {"throttle": f"throttle {self.target}", "expired": "expired credentials"}.get(
            self.kind, f"no capacity in {'any zone' if self.target == ALL else self.target}"
        )
        if self.percent is not None:
            return f"{what}: {self.percent} % of the calls"
        return f"{what}: until cleared" if self.count is None else f"{what}: the next {self.count} calls"


class Faults:
    """The ordered failures of one lab, shared between the command line and the server by a file."""

    def __init__(self, directory: Path, chance: Callable[[], float] = random.random) -> None:
        """Use the lab's EC2 directory, which `down` removes."""
        self._path = directory / FILE
        self._chance = chance

    def in_force(self) -> list[Fault]:
        """Return what is in force, the oldest first."""
        try:
            entries = json.loads(self._path.read_text())
        except FileNotFoundError:
            return []
        return [Fault(**entry) for entry in entries]

    def order(self, fault: Fault) -> None:
        """Put a failure in force; it replaces one of the same kind for the same target."""
        with self._changing() as faults:
            faults[:] = [other for other in faults if (other.kind, other.target) != (fault.kind, fault.target)]
            faults.append(fault)

    def clear(self, kind: str | None = None, target: str | None = None) -> None:
        """Take failures out of force, all of them unless a kind or a target is named."""
        with self._changing() as faults:
            faults[:] = [
                fault for fault in faults if kind not in (None, fault.kind) or target not in (None, fault.target)
            ]

    def refusal(self, service: str, action: str) -> Refusal | None:
        """Return how a call is refused before it is looked at; count it."""
        if self._due("expired", {ALL}):
            return expired(service)
        if self._due("throttle", {ALL, action}):
            return throttled(service)
        return None

    def no_capacity(self, zone: str) -> bool:
        """Tell whether a launch in a zone fails; count it."""
        return self._due("capacity", {ALL, zone})

    def limit(self, quota: str) -> int:
        """Return how many of something the account may have."""
        limits = [fault.limit for fault in self.in_force() if fault.kind == "quota" and fault.target == quota]
        return limits[0] if limits and limits[0] is not None else QUOTAS[quota]

    def partitioned(self, instance_id: str) -> bool:
        """Tell whether the network of an instance is cut."""
        return any(fault.kind == "partition" and fault.target == instance_id for fault in self.in_force())

    def _due(self, kind: str, targets: set[str]) -> bool:
        """Tell whether a failure strikes now; a counted one loses one."""
        if not any(fault.kind == kind and fault.target in targets for fault in self.in_force()):
            return False
        with self._changing() as faults:
            for index, fault in enumerate(faults):
                if fault.kind != kind or fault.target not in targets:
                    continue
                if fault.percent is not None and self._chance() * 100 >= fault.percent:
                    continue
                if fault.count is not None:
                    faults[index : index + 1] = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                return True
        return False

    @contextmanager
    def _changing(self) -> Iterator[list[Fault]]:
        private_directory(self._path.parent)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.in_force()
            faults = list(before)
            yield faults
            if not faults:
                self._path.unlink(missing_ok=True)
            elif faults != before:
                write_private(self._path, json.dumps([asdict(fault) for fault in faults]).encode())


def throttled(service: str) -> Refusal:
    """Return the words in which a service says that it is called too often."""
    if service == "ec2":
        return Refusal("503 Service Unavailable", "RequestLimitExceeded", "Request limit exceeded.", service)
    code = "ThrottlingException" if service == "ssm" else "Throttling"
    return Refusal("400 Bad Request", code, "Rate exceeded", service)


def expired(service: str) -> Refusal:
    """Return the words in which a service says that the credentials are no longer valid."""
    if service == "ec2":
        return Refusal("400 Bad Request", "RequestExpired", "Request has expired.", service)
    text = "The security token included in the request is expired"
    if service == "ssm":
        return Refusal("400 Bad Request", "ExpiredTokenException", text, service)
    return Refusal("403 Forbidden", "ExpiredToken", text, service)
