# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances: one call an instance, the same call for the same instance however often it is sent, no long hang.

AWS answers a lack of capacity with HTTP 500, which clients take for a passing trouble and try again for minutes. So
these calls are tried once only by the client, and again from here when AWS throttles; on a lack of capacity the next
subnet's zone gets its turn.
"""

from __future__ import annotations

import hashlib
import json
import time

from .client import ClientError, Row
from .errors import Ec2Error
from .run import Run, code_of, disk, fine, not_yet, pauses, tagging

CAPACITY = ("InsufficientInstanceCapacity", "InsufficientHostCapacity", "Unsupported")
_PASSING = (
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "InternalError",
    "Unavailable",
    "ServiceUnavailable",
)
_PATIENCE = 90.0
_ENDED = ("terminated", "shutting-down")
# AWS remembers a token for a day at least after its instance has ended.
_TOKENS = 20


def launch_instance(run: Run, step: Row) -> Row:
    """Launch an instance in the first of its subnets that has room; raises AWS's error when none has."""
    failure: ClientError | None = None
    for subnet in step["subnets"]:
        try:
            return _launch_in(run, step, run.id_of("subnet", subnet))
        except ClientError as error:
            if code_of(error) not in CAPACITY:
                raise
            failure = error
    if failure is None:
        raise Ec2Error(f"There is no subnet for {step['name']}.")
    raise failure


def _launch_in(run: Run, step: Row, subnet_id: str) -> Row:
    request = request_of(run, step, subnet_id)
    for attempt in range(_TOKENS):
        # The token of an instance that came and went within a day means that one: AWS returns it, or refuses the token.
        with fine("IdempotentInstanceTerminated"):
            entry = _patiently(run, {**request, "ClientToken": token_of(request, step["ended"], attempt)})
            if entry["State"]["Name"] not in _ENDED:
                return entry
    raise Ec2Error(f"AWS keeps answering with instances {step['name']} that have ended. Run again in an hour.")


def _patiently(run: Run, request: Row) -> Row:
    client = run.aws.client("ec2", attempts=1)
    end = time.monotonic() + _PATIENCE
    for pause in pauses():
        try:
            instances: list[Row] = client.run_instances(**request)["Instances"]
            return instances[0]
        except ClientError as failure:
            passing = code_of(failure) in _PASSING or not_yet(failure)
            if not passing or time.monotonic() > end:
                raise
        time.sleep(pause)
    raise AssertionError("pauses never end")


def request_of(run: Run, step: Row, subnet_id: str) -> Row:
    """Return the parameters of RunInstances without its token."""
    interface: Row = {
        "DeviceIndex": 0,
        "SubnetId": subnet_id,
        "Groups": [run.id_of("group", name) for name in step["groups"]],
        "DeleteOnTermination": True,
    }
    if step["public_address"]:
        interface["AssociatePublicIpAddress"] = True
    request: Row = {
        "ImageId": step["image_id"],
        "InstanceType": step["type"],
        "MinCount": 1,
        "MaxCount": 1,
        "NetworkInterfaces": [interface],
        "MetadataOptions": {
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": step["hop_limit"],
        },
        "BlockDeviceMappings": [
            {
                "DeviceName": volume["device"],
                "Ebs": {"Encrypted": True, "DeleteOnTermination": True, **disk(volume, "VolumeSize")},
            }
            for volume in step["volumes"]
        ],
        "TagSpecifications": [
            *tagging("instance", step["tags"]),
            *tagging("volume", step["tags"]),
            *tagging("network-interface", step["tags"]),
        ],
    }
    if step["key_name"]:
        request["KeyName"] = step["key_name"]
    if step["profile"]:
        request["IamInstanceProfile"] = {"Name": step["profile"]}
    if step["termination_protection"]:
        request["DisableApiTermination"] = True
    if step["user_data"]:
        request["UserData"] = step["user_data"]
    return request


def token_of(request: Row, ended: list[str], attempt: int) -> str:
    """Return the request's idempotency token: two equal requests are one instance, until that one has ended."""
    text = json.dumps([request, ended, attempt], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
