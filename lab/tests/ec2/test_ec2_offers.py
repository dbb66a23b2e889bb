"""Types, zones, regions, images and parameters: what EC2 says when something is not on offer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, client, run_instance
from hanger_lab.config import Lab
from hanger_lab.keys import ec2_key

DEBIAN_13, ARM_13 = "ami-0b61e0c5a1d23d013", "ami-0b61e0c5a1d23a613"


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def elsewhere(ec2: Any, lab: Lab, region: str, service: str = "ec2") -> Any:
    key = ec2_key(lab.directory)
    return boto3.client(
        service,
        endpoint_url=ec2.meta.endpoint_url,
        region_name=region,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
    )


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"InstanceType": "t3.gigantic"}, "InvalidParameterValue", "Invalid value 't3.gigantic' for InstanceType"),
        ({"InstanceType": "t4g.small"}, "InvalidParameterValue", "architecture 'arm64' of the specified instance type"),
        ({"InstanceType": "c8a.16xlarge", "Zone": "c"}, "Unsupported", "choosing eu-west-1a, eu-west-1b"),
        ({"InstanceType": "c8gb.2xlarge", "ImageId": ARM_13}, "Unsupported", "currently not supported"),
        ({"InstanceType": "t4g.small", "ImageId": ARM_13}, "InvalidAMIID.Unavailable", "is for arm64"),
    ],
)
def test_what_is_not_offered_is_not_launched(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace, options: dict[str, str], code: str, words: str
) -> None:
    zone = f"eu-west-1{options.pop('Zone', 'a')}"
    subnet = ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.71.9.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, SubnetId=subnet, **options)
    assert refused(error)[0] == code
    assert words in refused(error)[1]
    assert not engine.specs


def test_types_are_described_as_they_are(ec2: Any) -> None:
    small = ec2.describe_instance_types(InstanceTypes=["t4g.small"])["InstanceTypes"][0]
    assert small["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]
    assert (small["VCpuInfo"]["DefaultVCpus"], small["MemoryInfo"]["SizeInMiB"]) == (2, 2048)
    with pytest.raises(ClientError, match=r"InvalidInstanceType.*t3\.gigantic"):
        ec2.describe_instance_types(InstanceTypes=["t3.gigantic"])


def test_offerings_are_by_zone(ec2: Any) -> None:
    offers = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["c8a.16xlarge"]}]
    )["InstanceTypeOfferings"]
    assert sorted(offer["Location"] for offer in offers) == ["eu-west-1a", "eu-west-1b"]


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("ec2", "describe_vpcs", "AuthFailure", 401),
        ("iam", "list_roles", "SignatureDoesNotMatch", 403),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", 403),
        ("ssm", "describe_parameters", "InvalidSignatureException", 400),
    ],
)
def test_a_region_that_does_not_exist(ec2: Any, lab: Lab, service: str, call: str, code: str, status: int) -> None:
    # botocore itself signs IAM for us-east-1 wherever it knows the region.
    with pytest.raises(ClientError) as error:
        getattr(elsewhere(ec2, lab, "eu-wst-1", service), call)()
    assert refused(error)[0] == code
    assert "not 'eu-wst-1'" in refused(error)[1]
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ssm", "describe_parameters", "UnrecognizedClientException"),
    ],
)
def test_a_region_that_is_not_turned_on(ec2: Any, lab: Lab, service: str, call: str, code: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(elsewhere(ec2, lab, "me-south-1", service), call)()
    assert refused(error)[0] == code


def test_only_regions_that_are_on_are_shown(ec2: Any) -> None:
    names = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    assert {"eu-west-1", "us-east-1"} <= names
    assert not {"me-south-1", "cn-north-1"} & names
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        ec2.describe_regions(RegionNames=["eu-wst-1"])


def test_an_image_is_in_its_region_only(ec2: Any, lab: Lab) -> None:
    other = elsewhere(ec2, lab, "eu-central-1")
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        other.describe_images(ImageIds=[DEBIAN_13])
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        other.run_instances(ImageId=DEBIAN_13, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    assert other.describe_images(Owners=["136693071363"])["Images"] == []


@pytest.mark.parametrize(
    ("release", "arch", "image"),
    [
        ("13", "amd64", DEBIAN_13),
        ("12", "amd64", "ami-0c85d1f26e3923d12"),
        ("13", "arm64", ARM_13),
        ("12", "arm64", "ami-0c85d1f26e392a612"),
    ],
)
def test_debians_parameters_lead_to_the_labs_images(ec2: Any, lab: Lab, release: str, arch: str, image: str) -> None:
    ssm = client("ssm", lab, ec2.meta.endpoint_url)
    name = f"/aws/service/debian/release/{release}/latest/{arch}"
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == image
    found = ec2.describe_images(ImageIds=[image])["Images"][0]
    assert found["Name"].startswith(f"debian-{release}-{arch}-")
    assert found["Architecture"] == {"amd64": "x86_64", "arm64": "arm64"}[arch]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", "Ubuntu 24.04"),
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "Amazon Linux"),
    ],
)
def test_images_that_the_lab_lacks_say_so(
    ec2: Any, lab: Lab, engine: PaperEngine, network: SimpleNamespace, name: str, what: str
) -> None:
    image = client("ssm", lab, ec2.meta.endpoint_url).get_parameter(Name=name)["Parameter"]["Value"]
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, ImageId=image)
    assert refused(error)[0] == "InvalidAMIID.NotFound"
    assert what in refused(error)[1]
    assert "Debian 12 and 13 only" in refused(error)[1]


def test_parameters_are_of_a_region(ec2: Any, lab: Lab) -> None:
    ssm = elsewhere(ec2, lab, "eu-central-1", "ssm")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="/aws/service/debian/release/13/latest/amd64")
