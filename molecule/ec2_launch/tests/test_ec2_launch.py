"""The instances answer where they should, and nowhere else."""

import json
import os
import socket
import subprocess
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

LAB = Path(os.environ.get("HANGER_LAB_DIR", ".lab")).resolve()
FACTS = json.loads((LAB / "lab.json").read_text())
SSH = [
    "ssh",
    "-F",
    "none",
    "-i",
    str(LAB / "ssh/molecule_ed25519"),
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=5",
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
]


@pytest.fixture(scope="module")
def ec2():
    return boto3.client(
        "ec2",
        endpoint_url=FACTS["ec2"]["endpoint_url"],
        region_name=FACTS["ec2"]["region"],
        aws_access_key_id=FACTS["ec2"]["access_key"],
        aws_secret_access_key=FACTS["ec2"]["secret_key"],
    )


@pytest.fixture(scope="module")
def instances(ec2):
    filters = [{"Name": "tag:Project", "Values": ["molecule"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    found = [i for r in ec2.describe_instances(Filters=filters)["Reservations"] for i in r["Instances"]]
    return {tag["Value"].removeprefix("molecule-"): i for i in found for tag in i["Tags"] if tag["Key"] == "Name"}


def ssh(instance, command):
    target = f"admin@{instance['PublicIpAddress']}"
    return subprocess.run([*SSH, target, command], capture_output=True, text=True, timeout=30, check=False)


def reachable(address, port):
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex((address, port)) == 0


def test_each_instance_runs_once_with_its_tag_and_answers_ssh(instances):
    tags = {name: {tag["Key"]: tag["Value"] for tag in i["Tags"]} for name, i in instances.items()}
    assert {name: tag["hanger_roles"] for name, tag in tags.items()} == {"oltp": "oltp", "el": "el,tools"}
    assert [ssh(i, "sudo whoami").stdout for i in instances.values()] == ["root\n", "root\n"]


def test_the_image_chosen_by_id_is_the_one_with_docker(instances):
    assert ssh(instances["el"], "docker --version").stdout.startswith("Docker version")
    assert ssh(instances["oltp"], "docker --version").returncode != 0


def test_volumes_are_encrypted_and_metadata_needs_a_token(ec2, instances):
    for instance in instances.values():
        volume = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Encrypted"]
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
    hops = {name: i["MetadataOptions"]["HttpPutResponseHopLimit"] for name, i in instances.items()}
    assert hops == {"oltp": 1, "el": 3}


def test_the_allowed_resize_kept_instance_disk_and_address(ec2, instances):
    oltp = instances["oltp"]
    volume = ec2.describe_volumes(VolumeIds=[oltp["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]])["Volumes"][0]
    address = ec2.describe_addresses(Filters=[{"Name": "tag:Project", "Values": ["molecule"]}])["Addresses"]
    assert (oltp["InstanceType"], volume["Size"]) == ("t3.small", 30)
    assert [each["PublicIp"] for each in address] == [oltp["PublicIpAddress"]]


def test_user_data_ran(instances):
    assert ssh(instances["el"], "cat /var/tmp/user-data").stdout == "done\n"


def test_everything_carries_the_tags(ec2, instances):
    for instance in instances.values():
        volume = ec2.describe_volumes(VolumeIds=[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]])["Volumes"][0]
        vpc = ec2.describe_vpcs(VpcIds=[instance["VpcId"]])["Vpcs"][0]
        for entry in (instance, volume, vpc):
            tags = {tag["Key"]: tag["Value"] for tag in entry["Tags"]}
            assert (tags["Owner"], tags["ManagedBy"], tags["Purpose"]) == ("molecule", "ansible", "test")


def test_nobody_reaches_ssh_but_the_administrators(instances):
    attempt = f"timeout 3 bash -c 'echo > /dev/tcp/{instances['oltp']['PrivateIpAddress']}/22'"
    assert ssh(instances["el"], attempt).returncode != 0


def test_only_the_named_group_reaches_postgresql(instances):
    oltp, el = instances["oltp"], instances["el"]
    ssh(oltp, "sudo systemd-run --quiet --unit=listen python3 -m http.server 5432")
    attempt = (
        f"timeout 3 bash -c 'until echo > /dev/tcp/{oltp['PrivateIpAddress']}/5432; do sleep 0.2; done' 2>/dev/null"
    )
    assert ssh(el, attempt).returncode == 0
    assert not reachable(oltp["PublicIpAddress"], 5432)


def test_a_port_that_no_rule_names_is_closed(instances):
    ssh(instances["el"], "sudo systemd-run --quiet --unit=listen python3 -m http.server 8000")
    assert (
        ssh(instances["el"], "timeout 5 bash -c 'until echo > /dev/tcp/127.0.0.1/8000; do sleep 0.2; done'").returncode
        == 0
    )
    assert not reachable(instances["el"]["PublicIpAddress"], 8000)


def test_an_unknown_image_is_refused(ec2, instances):
    with pytest.raises(ClientError, match="InvalidAMIID"):
        ec2.run_instances(ImageId="ami-00000000000000000", MinCount=1, MaxCount=1, SubnetId=instances["el"]["SubnetId"])
