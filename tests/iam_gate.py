"""A gate before the lab's EC2 that lets through what an IAM policy allows, and answers the rest as AWS does.

The lab itself lets its key do everything. Behind this gate its user has one policy and nothing else: each call is taken
apart into actions, resources and condition keys as AWS's service authorization reference describes them.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
from botocore.config import Config
from hanger_lab.ec2.faults import USER_AGENT
from hanger_lab.ec2.s3.actions import action as s3_action
from hanger_lab.ec2.s3.callers import resources as s3_resources
from iam import Access, allows, kinds

ACCOUNT = "123456789012"
PREFIXES = {
    "vpc": "vpc",
    "subnet": "subnet",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "sg": "security-group",
    "i": "instance",
    "vol": "volume",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "key": "key-pair",
    "ami": "image",
}
CREATED = {
    "CreateVpc": ["vpc"],
    "CreateSubnet": ["subnet"],
    "CreateInternetGateway": ["internet-gateway"],
    "CreateRouteTable": ["route-table"],
    "CreateSecurityGroup": ["security-group"],
    "ImportKeyPair": ["key-pair"],
    "AllocateAddress": ["elastic-ip"],
    "CreateVolume": ["volume"],
    "RunInstances": ["instance", "volume", "network-interface"],
}
# What AWS wants besides when something is created with tags.
TAGGING = {"iam:CreateRole": "iam:TagRole", "iam:CreateInstanceProfile": "iam:TagInstanceProfile"}
# AWS needs no permission for these.
FREE = {"sts:GetCallerIdentity"}
_OF_THE_CONNECTION = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}
_SIGNED = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/")
_ID = re.compile(rf"({'|'.join(PREFIXES)})-[0-9a-f]{{8,17}}")


class Gate:
    """Decides about calls; remembers what was called and what was refused."""

    def __init__(self, policy: Mapping[str, Any], endpoint: str, region: str, keys: Mapping[str, str]) -> None:
        self.endpoint = endpoint
        self.called: set[str] = set()
        self.needed: set[str] = set()
        self.refused: list[str] = []
        self._policy = policy
        session = boto3.Session(keys["access_key"], keys["secret_key"], region_name=region)
        config = Config(user_agent=USER_AGENT, proxies={})
        self._ec2, self._iam = (session.client(name, endpoint_url=endpoint, config=config) for name in ("ec2", "iam"))

    def admits(self, service: str, region: str, body: bytes, target: str) -> bool:
        """Tell whether the policy allows a call."""
        parameters = json.loads(body) if target else dict(parse_qsl(body.decode()))
        action = f"{service}:{target.rpartition('.')[2] or parameters.pop('Action')}"
        return self._decide(action, [] if action in FREE else list(self._accesses(action, region, parameters)))

    def admits_to_s3(self, method: str, path: str, query: str, body: bytes, region: str) -> bool:
        """Tell whether the policy allows a request of S3."""
        name, context = s3_action(method, path, query), {"aws:RequestedRegion": region}
        needed = s3_resources(name, path, body)
        return self._decide(f"s3:{name}", [Access(each, "", resource, context) for each, resource in needed])

    def _decide(self, action: str, accesses: list[Access]) -> bool:
        refused = [str(access) for access in accesses if not allows(self._policy, access)]
        self.called.add(action)
        self.needed |= {access.action for access in accesses}
        self.refused += refused
        return not refused

    def _accesses(self, action: str, region: str, parameters: dict[str, Any]) -> Iterator[Access]:
        service = action.partition(":")[0]
        base = {"aws:RequestedRegion": region}
        if service == "ec2":
            yield from self._ec2_accesses(action, region, parameters, base)
        elif service == "iam":
            yield from self._iam_accesses(action, parameters, base)
        else:
            name = str(parameters.get("Name", "*")).lstrip("/")
            account = "" if name.startswith("aws/") else ACCOUNT
            yield Access(action, "parameter", f"arn:aws:{service}:{region}:{account}:parameter/{name}", base)

    def _ec2_accesses(
        self, action: str, region: str, parameters: dict[str, Any], base: dict[str, str]
    ) -> Iterator[Access]:
        known, name = kinds(action), action.partition(":")[2]
        tags = _requested_tags(parameters)
        found = False
        for kind in CREATED.get(name, ()):
            found = True
            context = {**base, **_prefixed("aws:RequestTag/", tags.get(kind, {})), **_attributes(kind, parameters)}
            if tags.get(kind):
                creation = {**context, "ec2:CreateAction": name}
                yield Access("ec2:CreateTags", kind, _arn(region, kind, "*"), creation)
            yield Access(action, kind, _arn(region, kind, "*"), context)
        request_tags = {}
        if name in ("CreateTags", "DeleteTags"):
            request_tags = {**_prefixed("aws:RequestTag/", tags[""]), "aws:TagKeys": ",".join(tags[""])}
        for identity, kind in self._named(parameters):
            if kind in known and kind not in CREATED.get(name, ()):
                found = True
                # Tags of the account's own images are no business of the policy.
                owned = {} if kind == "image" else _prefixed("aws:ResourceTag/", self._tags(identity))
                owner = "" if kind == "image" else ACCOUNT
                yield Access(action, kind, _arn(region, kind, identity, owner), {**base, **owned, **request_tags})
        if not found:
            yield Access(action, "", "*", base)
        profile = parameters.get("IamInstanceProfile.Name") or parameters.get("IamInstanceProfile.Arn", "")
        if name in ("RunInstances", "AssociateIamInstanceProfile") and profile:
            yield from self._passed(profile.rpartition("/")[2], base)

    def _iam_accesses(self, action: str, parameters: dict[str, Any], base: dict[str, str]) -> Iterator[Access]:
        known = kinds(action)
        role, profile = parameters.get("RoleName"), parameters.get("InstanceProfileName")
        for kind, value in (("role", role), ("instance-profile", profile)):
            if value and kind in known:
                context = {**base, **_prefixed("aws:RequestTag/", _listed(parameters, "Tags.member"))}
                arn = f"arn:aws:iam::{ACCOUNT}:{kind}/{value}"
                yield Access(action, kind, arn, context)
                if context != base and action in TAGGING:
                    yield Access(TAGGING[action], kind, arn, context)
        if action == "iam:AddRoleToInstanceProfile":
            yield Access("iam:PassRole", "role", f"arn:aws:iam::{ACCOUNT}:role/{role}", _to_ec2(base))
        if not known:
            yield Access(action, "", "*", base)

    def _passed(self, profile: str, base: dict[str, str]) -> Iterator[Access]:
        for role in self._iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]:
            yield Access("iam:PassRole", "role", f"arn:aws:iam::{ACCOUNT}:role/{role['RoleName']}", _to_ec2(base))

    def _named(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        """Return the resources that a call names outside filters, with their types."""
        named = {
            (match[0], PREFIXES[match[1]])
            for key, value in parameters.items()
            if not key.startswith(("Filter.", "ClientToken")) and "UserIdGroupPairs" not in key and "Groups." not in key
            for match in [_ID.fullmatch(str(value))]
            if match
        }
        if "KeyName" in parameters:
            pairs = self._ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [parameters["KeyName"]]}])
            named |= {(pair["KeyPairId"], "key-pair") for pair in pairs["KeyPairs"]}
        return named

    def _tags(self, identity: str) -> dict[str, str]:
        found = self._ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [identity]}])
        return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


@contextmanager
def standing(gate: Gate) -> Iterator[str]:
    """Run the gate and yield the URL at which it answers."""
    upstream = urlsplit(gate.endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            signed = _SIGNED.search(self.headers.get("Authorization", ""))
            if signed and not self._admitted(signed["service"], signed["region"], body):
                self._answer(403, {"Content-Type": "text/xml"}, _denial(signed["service"], gate.refused[-1]))
                return
            connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=300)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THE_CONNECTION}
            self._answer(answer.status, kept, answer.read())
            connection.close()

        do_DELETE = do_GET = do_HEAD = do_PUT = do_POST

        def _admitted(self, service: str, region: str, body: bytes) -> bool:
            if service == "s3":
                asked = urlsplit(self.path)
                return gate.admits_to_s3(self.command, unquote(asked.path), asked.query, body, region)
            return gate.admits(service, region, body, self.headers.get("X-Amz-Target", ""))

        def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Keep quiet: what was refused is kept in the gate."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _denial(service: str, text: str) -> bytes:
    if service == "s3":
        return f"<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>".encode()
    if service == "ec2":
        error = f"<Code>UnauthorizedOperation</Code><Message>You are not authorized: {text}</Message>"
        return f"<Response><Errors><Error>{error}</Error></Errors><RequestID>0</RequestID></Response>".encode()
    error = f"<Code>AccessDenied</Code><Message>User is not authorized: {text}</Message>"
    return f"<ErrorResponse><Error>{error}</Error><RequestId>0</RequestId></ErrorResponse>".encode()


def _arn(region: str, kind: str, identity: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:ec2:{region}:{account}:{kind}/{identity}"


def _to_ec2(base: dict[str, str]) -> dict[str, str]:
    return {**base, "iam:PassedToService": "ec2.amazonaws.com"}


def _attributes(kind: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition keys of instances and volumes that are made."""
    if kind == "instance" and "ImageId" in parameters:
        return {"ec2:MetadataHttpTokens": parameters.get("MetadataOptions.HttpTokens", "optional")}
    if kind == "volume":
        encrypted = [value for key, value in parameters.items() if key == "Encrypted" or key.endswith(".Ebs.Encrypted")]
        return {"ec2:Encrypted": str(bool(encrypted) and all(value == "true" for value in encrypted)).lower()}
    return {}


def _requested_tags(parameters: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the tags of TagSpecification by resource type, and those of CreateTags under ""."""
    tags = {"": _listed(parameters, "Tag")}
    for key, kind in parameters.items():
        if re.fullmatch(r"TagSpecification\.\d+\.ResourceType", key):
            tags[kind] = _listed(parameters, f"{key.rpartition('.')[0]}.Tag")
    return tags


def _listed(parameters: Mapping[str, Any], prefix: str) -> dict[str, str]:
    numbers = [key.split(".")[-2] for key in parameters if re.fullmatch(rf"{re.escape(prefix)}\.\d+\.Key", key)]
    return {parameters[f"{prefix}.{number}.Key"]: parameters.get(f"{prefix}.{number}.Value", "") for number in numbers}


def _prefixed(prefix: str, tags: Mapping[str, str]) -> dict[str, str]:
    return {prefix + name: value for name, value in tags.items()}
