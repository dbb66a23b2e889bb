# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that end a module with a message of their own, and what to do about those of AWS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

_CREDENTIALS = (
    "The credentials are {what}. Get new ones (aws sso login, or a new access key) "
    "and check them with: aws sts get-caller-identity."
)
_CLOCK = " A clock that is wrong by more than five minutes has the same effect."
_QUOTA = (
    "The account's quota for {what} in the region is used up. Ask for more under Service Quotas in the AWS console, "
    "{instead}."
)
_CAPACITY = (
    "AWS has no capacity for this type in the zone at the moment. Try another zone (ec2_launch_subnets), "
    "another type (ec2_launch_instance_types), or again in a while."
)
_DENIED = (
    "The user or role may not do this. docs/aws.md has the policy that the platform needs; "
    "a service control policy or a permissions boundary may forbid it as well."
)

ADVICE = {
    "ExpiredToken": _CREDENTIALS.format(what="expired"),
    "ExpiredTokenException": _CREDENTIALS.format(what="expired"),
    "RequestExpired": _CREDENTIALS.format(what="expired") + _CLOCK,
    "TokenRefreshRequired": _CREDENTIALS.format(what="expired"),
    "AuthFailure": _CREDENTIALS.format(what="not valid") + _CLOCK,
    "SignatureDoesNotMatch": _CREDENTIALS.format(what="not valid") + _CLOCK,
    "InvalidClientTokenId": _CREDENTIALS.format(what="not valid"),
    "UnrecognizedClientException": _CREDENTIALS.format(what="not valid"),
    "UnauthorizedOperation": _DENIED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "OptInRequired": "The account is not signed up for this service or region: enable it in the AWS console.",
    "PendingVerification": (
        "AWS is still verifying the new account, which takes up to 24 hours. Wait for its mail, then run again."
    ),
    "VcpuLimitExceeded": _QUOTA.format(
        what="vCPUs of this instance family", instead="or choose smaller types (ec2_launch_profile: free)"
    ),
    "InstanceLimitExceeded": _QUOTA.format(what="instances of this type", instead="or choose another type"),
    "VpcLimitExceeded": _QUOTA.format(what="VPCs", instead="or use an existing one (ec2_launch_vpc_id)"),
    "InternetGatewayLimitExceeded": _QUOTA.format(
        what="internet gateways", instead="or use an existing VPC (ec2_launch_vpc_id)"
    ),
    "AddressLimitExceeded": _QUOTA.format(what="Elastic IP addresses", instead="or leave elastic_ip out"),
    "VolumeLimitExceeded": _QUOTA.format(what="volumes", instead="or choose smaller volumes"),
    "InsufficientInstanceCapacity": _CAPACITY,
    "InsufficientHostCapacity": _CAPACITY,
    "Unsupported": "AWS does not offer this combination of type, zone and options. Choose another zone or type.",
    "RequestLimitExceeded": "AWS throttles the account's calls. Run again in a minute: what was done is found again.",
    "Throttling": "AWS throttles the account's calls. Run again in a minute: what was done is found again.",
    "VolumeModificationRateExceeded": "A volume can be modified again six hours after its last modification.",
}


class Ec2Error(Exception):
    """Something that a person can act on; `details` become keys of the failed result."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInputError(Ec2Error):
    """Variables hold what cannot be meant; every problem names its variable first."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), problems=list(problems))


def explain(code: str, text: str, doing: str) -> str:
    """Say what AWS answered while something was done, and what helps."""
    told = f"{doing}: AWS answers {code}: {text}".rstrip(". ") + "."
    advice = ADVICE.get(code, "")
    if code == "InvalidParameterCombination" and "free tier" in text.lower():
        advice = "The account is on AWS's free plan, which has few types. Set ec2_launch_profile: free."
    return f"{told} {advice}".rstrip()


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a question for the nearest of the words, or nothing."""
    close = get_close_matches(word, sorted(words), n=1)
    return f" Did you mean {close[0]}?" if close else ""
