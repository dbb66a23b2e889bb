"""Public parameters of SSM that name images: Debian's are the lab's, it has no image that the others lead to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import AmiBackend
from moto.ssm.models import Parameter, ParameterDict
from moto.utilities.utils import load_resource

from hanger_lab.config import Lab
from hanger_lab.ec2.images import Image
from hanger_lab.ec2.patches import Method, Patches

AMAZON = "/aws/service/ami-amazon-linux-latest/"
DEBIAN = "/aws/service/debian/release/{release}/latest/{arch}"
UBUNTU = "/aws/service/canonical/ubuntu/server/{release}/stable/current/{arch}/hvm/ebs-gp3/ami-id"
# Ids of the lab's own making: no machine of the lab stands behind them.
UBUNTU_IMAGES = {
    ("24.04", "amd64"): "ami-0a24040c1d2e3f401",
    ("24.04", "arm64"): "ami-0a24040c1d2e3f402",
    ("22.04", "amd64"): "ami-0a22040c1d2e3f401",
    ("22.04", "arm64"): "ami-0a22040c1d2e3f402",
}
RELEASES = ("12", "13")
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


def install(patches: Patches, images: Mapping[str, Image]) -> None:
    """Add the parameters, and say of images behind them what they are, until `patches` is left."""
    values = public_parameters(images)

    def load(original: Method, parameters: Any, key: str) -> None:
        original(parameters, key)
        if parameters.region_name != Lab.region or getattr(parameters, "hanger_loaded", False):
            return
        if str(key).startswith(("/aws/service/debian", "/aws/service/canonical")):
            parameters.hanger_loaded = True
            for name, value in values.items():
                defaultdict.__getitem__(parameters, name).append(_parameter(parameters, name, value))

    def describe_images(original: Method, backend: Any, ami_ids: list[str] | None = None, *args: Any, **kw: Any) -> Any:
        try:
            return original(backend, ami_ids, *args, **kw)
        except EC2ClientError as error:
            foreign = [f"{ami} is {what}" for ami in ami_ids or [] if (what := foreign_images().get(ami))]
            if not foreign or error.code != "InvalidAMIID.NotFound":
                raise
            message = f"The image id '[{', '.join(ami_ids or [])}]' does not exist in the lab: {', '.join(foreign)}; "
            raise EC2ClientError(error.code, f"{message}the lab has machines for Debian 12 and 13 only") from error

    patches.wrap(ParameterDict, "_check_loading_status", load)
    patches.wrap(AmiBackend, "describe_images", describe_images)


def public_parameters(images: Mapping[str, Image]) -> dict[str, str]:
    """Return the parameters of Debian and Ubuntu by name."""
    found = {UBUNTU.format(release=release, arch=arch): ami for (release, arch), ami in UBUNTU_IMAGES.items()}
    for release in RELEASES:
        for architecture, arch in ARCHITECTURES.items():
            matching = [
                image
                for image in images.values()
                if image.name.startswith(f"debian-{release}-{arch}-") and image.architecture == architecture
            ]
            if matching:
                name = DEBIAN.format(release=release, arch=arch)
                found[name] = max(matching, key=lambda image: image.created).id
    return found


@cache
def foreign_images() -> dict[str, str]:
    """Return what the images are that parameters lead to and the lab does not have."""
    amazon = load_resource(f"ssm/resources/ami-amazon-linux-latest/{Lab.region}.json")
    found = {entry["Value"]: f"Amazon Linux ({entry['Name'].removeprefix(AMAZON)})" for entry in amazon}
    return found | {ami: f"Ubuntu {release} for {arch}" for (release, arch), ami in UBUNTU_IMAGES.items()}


def _parameter(parameters: Any, name: str, value: str) -> Parameter:
    return Parameter(  # type: ignore[abstract]
        account_id=parameters.account_id,
        name=name,
        value=value,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=utcnow(),
        version=1,
        data_type="aws:ec2:image",
    )
