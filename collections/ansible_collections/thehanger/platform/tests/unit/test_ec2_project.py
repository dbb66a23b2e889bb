# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping, starting and removing a project: the decisions alone, then the module against moto's account."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime

import boto3
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.thehanger.platform.plugins.module_utils.ec2 import removal
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.errors import Ec2Error
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.power import plan_power
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.teardown import plan_teardown
from moto import mock_aws

REGION = "eu-west-1"
IMAGE = "ami-03cf127a"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def instance(name, state, ttl=None):
    return {"id": f"i-{name}", "name": name, "state": state, "tags": {"hanger_ttl": ttl} if ttl else {}}


def names(rows):
    return [row["name"] for row in rows]


class TestPower:
    @pytest.mark.parametrize(
        ("state", "switched", "underway"),
        [("stopped", ["pending", "running"], ["stopping"]), ("started", ["stopping", "stopped"], ["pending"])],
    )
    def test_every_state_is_considered(self, state, switched, underway):
        states = ("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
        plan = plan_power([instance(each, each) for each in states], state, False, NOW)
        assert (names(plan.switch), names(plan.underway), plan.spared) == (switched, underway, [])

    @pytest.mark.parametrize(
        ("ttl", "expired"),
        [
            ("2026-11-23", True),
            ("2026-11-24", False),
            ("2026-11-24T11:59:59Z", True),
            ("2026-11-24T12:00:01", False),
            ("2026-11-24T12:30:00+01:00", True),
            ("next week", False),
            (None, False),
        ],
    )
    def test_only_what_has_expired_is_switched_on_request(self, ttl, expired):
        plan = plan_power([instance("a", "running", ttl)], "stopped", True, NOW)
        assert (names(plan.switch), names(plan.spared)) == ((["a"], []) if expired else ([], ["a"]))


FOUND = {
    "vpcs": [{"id": "vpc-1", "cidr": "10.0.0.0/16", "tags": {}}],
    "subnets": [{"id": "subnet-1", "vpc_id": "vpc-1", "tags": {}}],
    "instances": [{"id": "i-1", "name": "a", "termination_protection": False}],
    "security_groups": [{"id": "sg-1", "name": "a", "vpc_id": "vpc-1", "rules": []}],
    "volumes": [{"id": "vol-1", "tags": {}, "state": "in-use"}, {"id": "vol-2", "tags": {}, "state": "deleting"}],
    "route_tables": [
        {"id": "rtb-main", "vpc_id": "vpc-1", "main": True, "tags": {}},
        {"id": "rtb-1", "vpc_id": "vpc-1", "main": False, "tags": {}},
    ],
    "role": {"name": "p-eu", "tags": {"Project": "p"}},
    "foreign": [],
}


class TestTeardown:
    def test_what_others_stand_on_goes_last(self):
        plan = plan_teardown(FOUND, "p")
        assert [[thing.id for thing in wave] for wave in plan.waves] == [
            ["i-1"],
            ["vol-1", "sg-1"],
            ["subnet-1", "rtb-1", "p-eu"],
            ["vpc-1"],
        ]

    def test_a_volume_that_goes_by_itself_is_told_and_not_deleted(self):
        root = {"tags": {}, "state": "in-use", "instance_id": "i-1", "delete_on_termination": True}
        volumes = [
            {"id": "vol-root", **root},
            {"id": "vol-data", **root, "delete_on_termination": False},
            {"id": "vol-other", **root, "instance_id": "i-9"},
            {"id": "vol-old", **root, "state": "deleting"},
        ]
        plan = plan_teardown({"instances": FOUND["instances"], "volumes": volumes}, "p")
        assert [[thing.id for thing in wave] for wave in plan.waves] == [["i-1"], ["vol-data", "vol-other"]]
        assert [thing.id for thing in plan.going] == ["i-1", "vol-root", "vol-data", "vol-other"]
        assert [thing.id for thing in plan.fading] == ["vol-old"]

    def test_a_network_with_something_foreign_in_it_stays(self):
        foreign = [{"kind": "instance", "id": "i-9", "vpc_id": "vpc-1", "why": "untagged"}]
        plan = plan_teardown({**FOUND, "foreign": foreign}, "p")
        assert [thing.id for thing in plan.going] == ["i-1", "vol-1", "p-eu"]
        assert {thing.id for thing in plan.kept} == {"vpc-1", "subnet-1", "sg-1", "rtb-1"}
        assert list(plan.foreign) == foreign

    def test_a_role_of_that_name_without_the_tag_is_not_the_projects(self):
        plan = plan_teardown({"role": {"name": "p-eu", "tags": {"Project": "other"}}}, "p")
        assert (plan.going, [row["id"] for row in plan.foreign]) == ([], ["p-eu"])


@pytest.fixture
def account(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(removal, "PATIENCE", 0.2)
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def run(account, capsys):
    def call(state, check_mode=False, **options):
        module = importlib.import_module("ansible_collections.thehanger.platform.plugins.modules.ec2_project")
        given = {"project": "gym", "region": REGION, "state": state, "_ansible_check_mode": check_mode, **options}
        capsys.readouterr()
        with patch_module_args(given), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return call


def tagged(kind, project="gym"):
    return [{"ResourceType": kind, "Tags": [{"Key": "Project", "Value": project}]}]


@pytest.fixture
def platform(account):
    """One of everything, with a protected instance and groups that name each other."""
    vpc = account.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
    subnet = account.create_subnet(
        VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=f"{REGION}a", TagSpecifications=tagged("subnet")
    )["Subnet"]["SubnetId"]
    gateway = account.create_internet_gateway(TagSpecifications=tagged("internet-gateway"))["InternetGateway"]
    account.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    table = account.create_route_table(VpcId=vpc, TagSpecifications=tagged("route-table"))["RouteTable"]
    account.associate_route_table(RouteTableId=table["RouteTableId"], SubnetId=subnet)
    groups = [
        account.create_security_group(
            GroupName=name, Description=name, VpcId=vpc, TagSpecifications=tagged("security-group")
        )["GroupId"]
        for name in ("a", "b")
    ]
    for group, other in (groups, groups[::-1]):
        pair = {"GroupId": other, "Description": "from the other"}
        permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [pair]}
        account.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    account.create_key_pair(KeyName="gym", TagSpecifications=tagged("key-pair"))
    account.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))
    account.create_volume(Size=1, AvailabilityZone=f"{REGION}a", TagSpecifications=tagged("volume"))
    machine = account.run_instances(
        ImageId=IMAGE,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=groups,
        DisableApiTermination=True,
        TagSpecifications=[*tagged("instance"), *tagged("volume")],
    )["Instances"][0]["InstanceId"]
    iam = boto3.client("iam", region_name=REGION)
    tags = tagged("any")[0]["Tags"]
    iam.create_role(RoleName=f"gym-{REGION}", AssumeRolePolicyDocument="{}", Tags=tags)
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    iam.put_role_policy(RoleName=f"gym-{REGION}", PolicyName="platform", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName=f"gym-{REGION}", Tags=tags)
    iam.add_role_to_instance_profile(InstanceProfileName=f"gym-{REGION}", RoleName=f"gym-{REGION}")
    s3 = boto3.client("s3", region_name=REGION)
    for bucket in (SESSIONS, BACKUPS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    s3.put_object(Bucket=BACKUPS, Key="pgbackrest/file", Body=b"")
    return {"vpc": vpc, "subnet": subnet, "instance": machine}


def states(account):
    found = account.describe_instances()["Reservations"]
    return [entry["State"]["Name"] for reservation in found for entry in reservation["Instances"]]


def forget_interfaces(account):
    """Do what AWS does when an instance ends, and moto does not."""
    for interface in account.describe_network_interfaces()["NetworkInterfaces"]:
        account.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])


SESSIONS, BACKUPS = (f"gym-{purpose}-123456789012-{REGION}" for purpose in ("ssm", "backups"))
KINDS = {
    "instance",
    "key pair",
    "Elastic IP address",
    "volume",
    "security group",
    "instance profile",
    "bucket",
    "internet gateway",
    "subnet",
    "role",
    "route table",
    "VPC",
}


class TestModule:
    def test_stops_and_starts_once(self, run, account, platform):
        assert run("stopped", check_mode=True)["switched"] == [platform["instance"]]
        assert states(account) == ["running"]
        stopped = run("stopped")
        assert (stopped["changed"], [entry["state"] for entry in stopped["instances"]]) == (True, ["stopped"])
        assert not run("stopped")["changed"]
        assert (run("started")["changed"], states(account)) == (True, ["running"])
        assert not run("started")["changed"]

    def test_spares_what_has_not_expired(self, run, account, platform):
        account.create_tags(Resources=[platform["instance"]], Tags=[{"Key": "hanger_ttl", "Value": "2999-12-31"}])
        assert not run("stopped", expired_only=True)["changed"]
        account.create_tags(Resources=[platform["instance"]], Tags=[{"Key": "hanger_ttl", "Value": "2001-12-31"}])
        assert run("stopped", expired_only=True)["changed"]

    def test_removes_everything_once_and_nothing_in_check_mode(self, run, account, platform):
        planned = run("absent", check_mode=True, buckets=["ssm", "backups"])
        assert planned["filled"] == [BACKUPS]
        assert {row["kind"] for row in planned["removed"]} == KINDS
        assert states(account) == ["running"]
        removed = run("absent", buckets=["ssm", "backups"])
        assert {row["id"] for row in removed["removed"]} == {row["id"] for row in planned["removed"]}
        assert (removed["changed"], removed["left"], removed["kept"], removed["foreign"]) == (True, [], [], [])
        again = run("absent", buckets=["ssm", "backups"])
        assert (again["changed"], again["removed"], again["filled"]) == (False, [], [])

    def test_leaves_a_bucket_that_nobody_named(self, run, account, platform):
        removed = run("absent", buckets=["ssm"])
        assert [row["id"] for row in removed["removed"] if row["kind"] == "bucket"] == [SESSIONS]
        assert boto3.client("s3", region_name=REGION).head_bucket(Bucket=BACKUPS)

    def test_tells_which_object_stays(self, run, account, platform, monkeypatch):
        def kept(client, **parameters):
            return {"Errors": [{"Key": "pgbackrest/file", "Code": "AccessDenied", "Message": "Access Denied"}]}

        with monkeypatch.context() as patch:
            patch.setattr(removal, "_delete_objects", kept)
            failed = run("absent", buckets=["backups"])
        assert failed["failed"]
        assert "pgbackrest/file" in failed["msg"]
        assert [row["id"] for row in failed["left"]] == [BACKUPS]

    def test_touches_nothing_without_the_tag(self, run, account, platform):
        group = account.create_security_group(
            GroupName="x", Description="x", VpcId=platform["vpc"], TagSpecifications=tagged("security-group", "other")
        )["GroupId"]
        first = run("absent")
        network = {"VPC", "subnet", "security group", "route table", "internet gateway"}
        assert {row["kind"] for row in first["kept"]} == network
        assert [row["id"] for row in first["foreign"]] == [group]
        assert states(account) == ["terminated"]
        account.delete_security_group(GroupId=group)
        forget_interfaces(account)
        assert {row["kind"] for row in run("absent")["removed"]} == network
        assert run("absent")["kept"] == []

    def test_in_a_vpc_of_somebody_else_only_what_is_tagged_goes(self, run, account):
        vpc = account.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        account.create_security_group(
            GroupName="a", Description="a", VpcId=vpc, TagSpecifications=tagged("security-group")
        )
        assert [row["kind"] for row in run("absent")["removed"]] == ["security group"]
        assert account.describe_vpcs(VpcIds=[vpc])["Vpcs"]

    def test_finishes_what_was_interrupted(self, run, account, platform, monkeypatch):
        def interrupted(remover, thing):
            raise Ec2Error("interrupted")

        with monkeypatch.context() as patch:
            patch.setattr(removal.Remover, "_subnet", interrupted)
            failed = run("absent")
        assert failed["failed"]
        assert "interrupted" in failed["msg"]
        assert {row["kind"] for row in failed["left"]} == {"subnet", "VPC"}
        forget_interfaces(account)
        assert {row["kind"] for row in run("absent")["removed"]} == {"subnet", "VPC"}

    def test_only_what_costs_can_be_limited_to_what_has_expired(self, run):
        assert run("absent", expired_only=True)["failed"]
