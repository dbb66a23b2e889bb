"""Which regions an account has: those that are on by default. The lab's images are in one of them."""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

from hanger_lab.ec2.access import Refusal
from hanger_lab.ec2.patches import Method, Patches

OPT_IN = frozenset(
    [
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
        *("ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2"),
        *("il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    ]
)
KNOWN = frozenset(region.name for region in RegionsAndZonesBackend.regions)
ENABLED = frozenset(name for name in KNOWN - OPT_IN if not name.startswith(("cn-", "us-gov-", "us-iso", "eusc-")))
_DISABLED = {
    "ec2": ("401 Unauthorized", "AuthFailure", "AWS was not able to validate the provided access credentials"),
    "ssm": (
        "400 Bad Request",
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
}
_DISABLED_OTHERS = ("403 Forbidden", "InvalidClientTokenId", "The security token included in the request is invalid.")
_UNKNOWN = {
    "ec2": ("401 Unauthorized", "AuthFailure"),
    "ssm": ("400 Bad Request", "InvalidSignatureException"),
}


def install(patches: Patches) -> None:
    """Let DescribeRegions tell which regions an account has until `patches` is left."""
    regions = [copy.copy(region) for region in RegionsAndZonesBackend.regions]
    for region in regions:
        region.opt_in_status = "not-opted-in" if region.name in OPT_IN else "opt-in-not-required"
    patches.assign(RegionsAndZonesBackend, "regions", regions)
    patches.wrap(RegionsAndZonesBackend, "describe_regions", _describe_regions)


def check(region: str, service: str) -> None:
    """Raise what AWS says to a call for a region that does not exist or that the account has not turned on."""
    if region in ENABLED:
        return
    if region in KNOWN:
        status, code, message = _DISABLED.get(service, _DISABLED_OTHERS)
        raise Refusal(status, code, message, service)
    status, code = _UNKNOWN.get(service, ("403 Forbidden", "SignatureDoesNotMatch"))
    raise Refusal(status, code, f"Credential should be scoped to a valid region, not '{region}'.", service)


def _describe_regions(original: Method, backend: Any, region_names: list[str] | None = None) -> Any:
    unknown = set(region_names or []) - KNOWN
    if unknown:
        raise EC2ClientError("InvalidParameterValue", f"Invalid region names were found: {', '.join(sorted(unknown))}")
    found = original(backend, region_names)
    return found if region_names else [region for region in found if region.name in ENABLED]
