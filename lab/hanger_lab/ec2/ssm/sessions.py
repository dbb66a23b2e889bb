"""Sessions of Session Manager: who may have one, and what it leads to."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from hanger_lab.ec2.door import NOT_FOUND, Answer, running_instances
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.patches import Patches
from hanger_lab.machines import MachinesError

ACTIONS = ("StartSession", "ResumeSession", "TerminateSession")
SHELL = "SSM-SessionManagerRunShell"
PORT = "AWS-StartPortForwardingSession"
DOCUMENTS = (SHELL, PORT)
AGENT = "amazon-ssm-agent"
# What the agent calls to register and to open its channels.
NEEDED = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


@dataclass(frozen=True)
class Session:
    """One session; `parameters` are those of its document."""

    id: str
    target: str
    document: str
    parameters: dict[str, list[str]]
    token: str = field(repr=False)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


class Sessions:
    """The sessions that are open, as SSM's API and the lab's plugin see them."""

    def __init__(self, fleet: Fleet, endpoint: str) -> None:
        self._fleet = fleet
        self._endpoint = endpoint
        self._open: dict[str, Session] = {}

    def install(self, patches: Patches) -> None:
        """Add the actions to moto's SSM until `patches` is left."""
        for name, act in (
            ("start_session", lambda response: self._start(response)),
            ("resume_session", lambda response: self._resume(response)),
            ("terminate_session", lambda response: self._terminate(response)),
            ("describe_sessions", lambda response: self._describe(response)),
            ("describe_instance_information", lambda response: self._information(response)),
            ("get_connection_status", lambda response: self._status(response)),
        ):
            patches.add(SimpleSystemManagerResponse, name, act)

    def page(self, query: dict[str, str]) -> Answer:
        """Tell the plugin where a session leads, if it has the session's token."""
        session = self._open.get(query.get("id", ""))
        if session is None or not secrets.compare_digest(session.token, query.get("token", "")):
            return NOT_FOUND, {"message": "no such session, or not its token"}
        instance = _running(session.target)
        if instance is None:
            return NOT_FOUND, {"message": f"{session.target} does not run"}
        return "200 OK", {
            "machine": self._fleet.name(session.target),
            "address": instance.private_ip,
            "document": session.document,
            "parameters": session.parameters,
        }

    def _start(self, response: Any) -> ActionResult:
        target, document = response._get_param("Target"), response._get_param("DocumentName") or SHELL
        parameters = response._get_param("Parameters") or {}
        if document not in DOCUMENTS:
            raise JsonRESTError("InvalidDocument", f"the lab has the documents {', '.join(DOCUMENTS)}")
        if document == PORT and not str((parameters.get("portNumber") or [""])[0]).isdigit():
            raise JsonRESTError("InvalidParameters", "portNumber is a list with one number")
        instance = _running(str(target))
        if instance is None or not self._is_online(instance):
            raise JsonRESTError("TargetNotConnected", f"{target} is not connected.")
        identity = f"lab-{secrets.token_hex(8)}"
        session = Session(identity, str(target), str(document), dict(parameters), secrets.token_urlsafe(32))
        self._open[identity] = session
        return ActionResult(self._opened(session))

    def _resume(self, response: Any) -> ActionResult:
        session = self._open.get(str(response._get_param("SessionId")))
        if session is None:
            raise JsonRESTError("DoesNotExistException", "no such session")
        return ActionResult(self._opened(session))

    def _terminate(self, response: Any) -> ActionResult:
        identity = str(response._get_param("SessionId"))
        self._open.pop(identity, None)
        return ActionResult({"SessionId": identity})

    def _describe(self, response: Any) -> ActionResult:
        active = response._get_param("State") == "Active"
        found = [
            {"SessionId": session.id, "Target": session.target, "Status": "Connected", "StartDate": session.started}
            for session in self._open.values()
            if active
        ]
        return ActionResult({"Sessions": found})

    def _information(self, response: Any) -> ActionResult:
        wanted = {value for values in _filters(response) for value in values}
        found = [
            {
                "InstanceId": instance.id,
                "PingStatus": "Online",
                "LastPingDateTime": datetime.now(UTC),
                "PlatformType": "Linux",
                "ResourceType": "EC2Instance",
                "IPAddress": instance.private_ip,
                "ComputerName": instance.private_dns_name,
            }
            for instance in running_instances()
            if (not wanted or instance.id in wanted) and self._is_online(instance)
        ]
        return ActionResult({"InstanceInformationList": found})

    def _status(self, response: Any) -> ActionResult:
        target = str(response._get_param("Target"))
        instance = _running(target)
        online = instance is not None and self._is_online(instance)
        return ActionResult({"Target": target, "Status": "connected" if online else "notconnected"})

    def _opened(self, session: Session) -> dict[str, str]:
        url = f"{self._endpoint}/lab/session?id={session.id}"
        return {"SessionId": session.id, "TokenValue": session.token, "StreamUrl": url}

    def _is_online(self, instance: Any) -> bool:
        if not may_register(instance):
            return False
        try:
            self._fleet.engine.run(self._fleet.name(instance.id), ["systemctl", "is-active", "--quiet", AGENT])
        except MachinesError:
            return False
        return True


def may_register(instance: Any) -> bool:
    """Tell whether the policies of an instance's profile allow what the agent needs."""
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    if association is None:
        return False
    books = iam_backends[instance.ec2_backend.account_id]["aws"].instance_profiles
    # The association keeps the profile of its day; what its role may do today is in IAM's books.
    profile = next((found for found in books.values() if found.name == association.iam_instance_profile.name), None)
    allowed = [pattern for role in (profile.roles if profile else []) for pattern in _allowed(role)]
    return all(any(fnmatchcase(action, pattern) for pattern in allowed) for action in NEEDED)


def _allowed(role: Any) -> Iterator[str]:
    documents = [*role.policies.values(), *(policy.document for policy in role.managed_policies.values())]
    for document in documents:
        statements = (json.loads(document) if isinstance(document, str) else document)["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            actions = statement.get("Action", []) if statement["Effect"] == "Allow" else []
            yield from [actions] if isinstance(actions, str) else actions


def _filters(response: Any) -> Iterator[list[str]]:
    for entry in response._get_param("Filters") or []:
        if entry.get("Key") == "InstanceIds":
            yield entry.get("Values", [])
    for entry in response._get_param("InstanceInformationFilterList") or []:
        if entry.get("key") == "InstanceIds":
            yield entry.get("valueSet", [])


def _running(identity: str) -> Any:
    return next((instance for instance in running_instances() if instance.id == identity), None)
