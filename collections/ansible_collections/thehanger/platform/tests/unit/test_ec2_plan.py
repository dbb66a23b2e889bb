# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning and applying against moto's account: fresh, again, changed, killed in between, and refused."""

from __future__ import annotations

import boto3
import pytest
from ansible_collections.thehanger.platform.plugins.module_utils.ec2 import arguments, checks
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.client import CONNECTION
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ec2_runner import DESCRIPTION, REGION, Calls, Failed, Killed, Runner, impatient
from moto import mock_aws

INSTANCES = {each["name"]: each for each in DESCRIPTION["instances"]}


@pytest.fixture
def account(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    impatient(monkeypatch)
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def calls(account, monkeypatch):
    return Calls(monkeypatch)


@pytest.fixture
def run(account, calls, tmp_path, capsys):
    key = Ed25519PrivateKey.generate()
    private = tmp_path / "key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    )
    private.chmod(0o600)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (tmp_path / "key.pub").write_bytes(public)
    return Runner(tmp_path, capsys)


def changed(instance, **values):
    """Return the described instances with one of them changed."""
    return [{**each, **values} if each["name"] == instance else each for each in DESCRIPTION["instances"]]


def shape(found):
    """Return what stands, without ids and addresses."""
    names = {group["id"]: group["name"] for group in found["security_groups"]}
    by_id = {entry["id"]: entry["name"] for entry in found["instances"]}
    return {
        "vpcs": [(vpc["cidr"], vpc["dns_hostnames"], vpc["tags"]) for vpc in found["vpcs"]],
        "subnets": sorted((each["cidr"], each["availability_zone"], str(each["tags"])) for each in found["subnets"]),
        "gateways": [(len(each["vpc_ids"]), each["tags"]) for each in found["internet_gateways"]],
        "routes": [(each["main"], len(each["routes"]), each["subnet_ids"]) for each in found["route_tables"]],
        "groups": sorted(
            (
                group["name"],
                sorted((rule["from_port"], names.get(rule["source"], rule["source"])) for rule in group["rules"]),
            )
            for group in found["security_groups"]
        ),
        "keys": [(key["name"], key["tags"]) for key in found["key_pairs"]],
        "instances": sorted(
            (each["name"], each["state"], each["type"], each["hop_limit"], each["termination_protection"])
            for each in found["instances"]
        ),
        "volumes": sorted(
            (by_id[each["instance_id"]], each["device"], each["size"], each["encrypted"]) for each in found["volumes"]
        ),
        "addresses": [(by_id[each["instance_id"]], each["tags"]) for each in found["addresses"]],
        "profile": (found["instance_profile"]["roles"], found["role"]["tags"]),
    }


class TestLife:
    def test_a_fresh_account_shows_the_whole_plan_and_gets_no_write(self, run, calls):
        plan = run.plan()
        actions = [step["action"] for step in plan["plan"]["steps"]]
        assert actions.count("launch") == 2
        assert {"create_vpc", "create_subnet", "create_group", "import_key", "create_role", "allocate_address"} <= {
            *actions
        }
        assert plan["diff"]["after"].count("\n") == len(actions)
        checked = run.apply(plan, check_mode=True)
        assert (checked["changed"], checked["summary"]) == (True, plan["summary"])
        assert calls.writes == []

    def test_a_second_run_finds_nothing_to_do(self, run, calls):
        run.converge()
        written = len(calls.writes)
        again = run.plan()
        assert (again["summary"], again["drift"], len(calls.writes)) == ([], [], written)

    def test_what_was_built_is_what_was_described(self, run):
        run.converge()
        built = shape(run.plan()["found"])
        assert built["groups"] == [
            ("gym-admin", [(22, "203.0.113.7/32")]),
            ("gym-el", [(8000, "gym-oltp")]),
            ("gym-oltp", [(5432, "gym-el")]),
        ]
        assert built["instances"] == [
            ("gym-el", "running", "t3.medium", 3, False),
            ("gym-oltp", "running", "t3.small", 1, True),
        ]
        assert [volume[1:] for volume in built["volumes"]][1:] == [("/dev/sda1", 20, True), ("/dev/sdf", 5, True)]
        assert [each[0] for each in built["addresses"]] == ["gym-oltp"]
        assert built["routes"] == [(True, 1, [])]

    def test_launches_need_tokens_for_metadata_and_carry_their_tags(self, run, calls):
        run.converge()
        for request in calls.of("RunInstances"):
            assert request["MetadataOptions"]["HttpTokens"] == "required"
            tagged = {
                spec["ResourceType"]: {tag["Key"] for tag in spec["Tags"]} for spec in request["TagSpecifications"]
            }
            assert {"Project", "Owner", "Name", "hanger_roles", "hanger_login"} <= tagged["instance"] & tagged["volume"]

    def test_every_creating_call_carries_the_tag(self, run, calls):
        run.converge()
        creating = [
            (name, request)
            for name, request in calls.requests
            if name.startswith(("Create", "Allocate", "Import", "Run")) and name != "CreateRoute"
        ]
        assert [name for name, request in creating if "'Project'" not in str(request)] == []


class TestKilled:
    @pytest.mark.parametrize("last", range(0, 24, 3))
    def test_a_run_after_a_killed_one_ends_the_same_without_duplicates(self, run, calls, last):
        calls.last = last
        try:
            run.converge()
        except Killed:
            assert len(calls.writes) == last
        calls.last = None
        run.converge()
        again = run.plan()
        assert again["summary"] == []
        found = shape(again["found"])
        assert {kind: len(found[kind]) for kind in found if kind != "profile"} == {
            "vpcs": 1,
            "subnets": 2,
            "gateways": 1,
            "routes": 1,
            "groups": 3,
            "keys": 1,
            "instances": 2,
            "volumes": 3,
            "addresses": 1,
        }

    @pytest.mark.parametrize(
        "ended",
        [
            {"Instances": [{"InstanceId": "i-0", "State": {"Name": "terminated"}}]},
            ClientError({"Error": {"Code": "IdempotentInstanceTerminated", "Message": "gone"}}, "RunInstances"),
        ],
    )
    def test_a_launch_whose_token_means_an_ended_instance_gets_another(self, run, calls, ended):
        calls.answers["RunInstances"] = lambda parameters: ended if len(calls.of("RunInstances")) < 7 else None
        run.converge(instances=[INSTANCES["el"]])
        requests = calls.of("RunInstances")
        assert len({request.pop("ClientToken") for request in requests}) == 7
        assert all(request == requests[0] for request in requests)


class TestChanges:
    def test_a_larger_type_and_disk_are_drift_until_they_are_allowed(self, run, calls):
        run.converge()
        wanted = changed("el", type="t3.large", root_volume={"size": 60})
        plan = run.plan(instances=wanted)
        assert plan["summary"] == []
        told = {(row["what"], row["from"], row["to"], row["apply_with"]) for row in plan["drift"]}
        allowed = "ec2_launch_allow_resize: true"
        assert told == {("type", "t3.medium", "t3.large", allowed), ("size", "40 GiB", "60 GiB", allowed)}
        assert "gym-el: type is t3.medium, not t3.large" in str(plan["warnings"])
        steps = run.converge(instances=wanted, allow_resize=True)["plan"]["steps"]
        assert [step["action"] for step in steps] == ["modify_volume", "resize"]
        assert steps[0]["stage"] < steps[1]["stage"]
        again = run.plan(instances=wanted, allow_resize=True)
        assert (again["summary"], again["drift"]) == ([], [])
        assert ("gym-el", "running", "t3.large", 3, False) in shape(again["found"])["instances"]

    def test_a_smaller_disk_is_never_applied(self, run):
        run.converge()
        plan = run.plan(instances=changed("el", root_volume={"size": 30}), allow_resize=True)
        assert (plan["summary"], [row["apply_with"] for row in plan["drift"]]) == ([], ["nothing: volumes only grow"])

    def test_another_type_of_disk_is_one_change(self, run, account):
        run.converge()
        volumes = run.plan()["found"]["volumes"]
        data = next(each["id"] for each in volumes if each["device"] == "/dev/sdf")
        account.modify_volume(VolumeId=data, VolumeType="gp2")
        wanted = changed("oltp", volumes=[{"device": "/dev/sdf", "size": 5, "iops": 4000, "throughput": 250}])
        (step,) = run.plan(instances=wanted, allow_resize=True)["plan"]["steps"]
        assert step["changes"] == {"type": "gp3", "iops": 4000, "throughput": 250}

    @pytest.mark.parametrize(
        ("states", "told"),
        [
            ([None, "modifying", "optimizing"], ""),
            (["failed"], "AWS failed to change the volume vol-.*: no room"),
            ([None], "After 0 s the volume vol-.* is not changed yet"),
        ],
    )
    def test_a_disk_is_changed_once_aws_says_so(self, run, calls, states, told):
        run.converge()
        plan = run.plan(instances=changed("el", root_volume={"size": 60}), allow_resize=True)
        left = list(states)

        def answer(parameters):
            state = left.pop(0)
            rows = [{"ModificationState": state, "StatusMessage": "no room"}] if state else []
            return {"VolumesModifications": rows}

        calls.answers["DescribeVolumesModifications"] = answer
        options = {"plan": plan["plan"], "public_key_path": "", "timeout": 0 if told else 60}
        if told:
            with pytest.raises(Failed, match=told):
                run.module("ec2_apply", **options)
        else:
            run.module("ec2_apply", **options)
        assert left == []

    def test_a_rule_that_is_there_already_keeps_no_other_out(self, run, calls):
        refusal = ClientError({"Error": {"Code": "InvalidPermission.Duplicate", "Message": "there"}}, "Authorize")
        calls.answers["AuthorizeSecurityGroupIngress"] = lambda asked: refusal if len(asked["IpPermissions"]) > 1 else 0
        rules = [{"ports": ["22", "443"], "admins": True}]
        groups = [{**DESCRIPTION["security_groups"][0], "rules": rules}, *DESCRIPTION["security_groups"][1:]]
        run.converge(security_groups=groups)
        assert run.plan(security_groups=groups)["summary"] == []

    def test_a_rule_that_is_not_described_is_closed(self, run, account):
        group = run.converge() and run.plan()["plan"]["known"]["group"]["admin"]
        account.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=3389, ToPort=3389, CidrIp="0.0.0.0/0"
        )
        assert run.plan()["summary"] == ["Change the rules of gym-admin: close tcp 3389 from 0.0.0.0/0"]
        run.converge()
        assert run.plan()["summary"] == []

    def test_another_address_of_the_administrator_replaces_the_first(self, run):
        run.converge()
        plan = run.converge(admin_cidrs=["198.51.100.9/32"])
        assert plan["summary"] == [
            "Change the rules of gym-admin: close tcp 22 from 203.0.113.7/32; open tcp 22 from 198.51.100.9/32"
        ]

    def test_a_range_is_compared_as_aws_spells_it(self, run):
        cidrs = ["2001:0DB8:0000::/48", "203.0.113.0/255.255.255.0", "fc00::/7"]
        run.converge(admin_cidrs=cidrs)
        plan = run.plan(admin_cidrs=cidrs)
        assert (plan["summary"], plan["admin_cidrs"]) == ([], ["2001:db8::/48", "203.0.113.0/24", "fc00::/7"])

    def test_services_are_open_to_administrators_only_when_asked(self, run):
        services = [{"name": "airbyte", "security_group": "el", "port": 8000}]
        run.converge(services=services)
        assert run.plan(services=services)["summary"] == []
        plan = run.plan(services=services, services_open=True)
        assert plan["summary"] == ["Change the rules of gym-el: open tcp 8000 from 203.0.113.7/32"]

    def test_a_stopped_instance_is_started_and_a_later_disk_attached(self, run, account):
        run.converge()
        ids = run.plan()["plan"]["known"]["instance"]
        account.stop_instances(InstanceIds=[ids["gym-el"]])
        wanted = changed("el", volumes=[{"device": "/dev/sdg", "size": 7}])
        plan = run.converge(instances=wanted)
        assert [step["action"] for step in plan["plan"]["steps"]] == ["create_volume", "start", "attach_volume"]
        assert run.plan(instances=wanted)["summary"] == []

    def test_tags_and_metadata_are_brought_in_line(self, run, account):
        run.converge()
        ids = run.plan()["plan"]["known"]["instance"]
        account.create_tags(
            Resources=[ids["gym-el"]], Tags=[{"Key": "Owner", "Value": "x"}, {"Key": "Mine", "Value": "y"}]
        )
        account.modify_instance_metadata_options(InstanceId=ids["gym-el"], HttpTokens="optional")
        run.converge()
        plan = run.plan()
        tags = next(each["tags"] for each in plan["found"]["instances"] if each["name"] == "gym-el")
        assert (plan["summary"], tags["Owner"], tags["Mine"]) == ([], "gym", "y")

    def test_an_instance_that_nobody_describes_any_more_is_told_and_left(self, run):
        run.converge()
        plan = run.plan(instances=[INSTANCES["oltp"]])
        assert plan["summary"] == []
        assert ("gym-el", "instance", "not described") in {
            (row["name"], row["what"], row["to"]) for row in plan["drift"]
        }

    def test_a_loose_volume_is_told_unless_an_instance_takes_it(self, run, account):
        run.converge()
        for name in ("gym-el-/dev/sdg", "gym-old"):
            tags = [{"Key": "Project", "Value": "gym"}, {"Key": "Name", "Value": name}]
            account.create_volume(
                Size=7,
                Encrypted=True,
                AvailabilityZone="eu-west-1a",
                TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
            )
        plan = run.plan(instances=changed("el", volumes=[{"device": "/dev/sdg", "size": 7}]))
        assert [step["action"] for step in plan["plan"]["steps"]] == ["attach_volume"]
        assert [(row["name"], row["from"]) for row in plan["drift"]] == [("gym-old", "attached to nothing")]

    def test_an_existing_network_is_used_and_not_changed(self, run, account, calls):
        vpc = account.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        subnet = account.create_subnet(VpcId=vpc, CidrBlock="10.1.3.0/24", AvailabilityZone="eu-west-1c")["Subnet"]
        place = {"vpc_id": vpc, "subnets": [{"name": "a", "id": subnet["SubnetId"]}]}
        run.converge(**place)
        plan = run.plan(**place)
        assert (plan["summary"], plan["found"]["vpcs"], plan["found"]["subnets"]) == ([], [], [])
        assert {each["subnet_id"] for each in plan["found"]["instances"]} == {subnet["SubnetId"]}


class TestCapacity:
    @staticmethod
    def full(subnet_count):
        seen = []

        def answer(parameters):
            subnet = parameters["NetworkInterfaces"][0]["SubnetId"]
            if subnet not in seen and len(seen) < subnet_count:
                seen.append(subnet)
            if subnet in seen:
                return ClientError(
                    {"Error": {"Code": "InsufficientInstanceCapacity", "Message": "none"}}, "RunInstances"
                )
            return None

        return answer

    def test_another_zone_is_tried_at_once(self, run, calls):
        calls.answers["RunInstances"] = self.full(1)
        run.converge()
        zones = {each["availability_zone"] for each in run.plan()["found"]["instances"]}
        assert zones == {"eu-west-1b"}
        assert len(calls.of("RunInstances")) == 4

    def test_a_pinned_instance_fails_with_advice_and_says_what_was_done(self, run, calls):
        calls.answers["RunInstances"] = self.full(1)
        with pytest.raises(Failed, match="no capacity for this type in the zone") as failure:
            run.converge(instances=changed("el", subnet="a")[1:])
        assert "Create the VPC gym (10.77.0.0/16)" in failure.value.result["done"]
        assert len(calls.of("RunInstances")) == 1

    @pytest.mark.parametrize(
        ("code", "advice"),
        [
            ("VcpuLimitExceeded", "Service Quotas"),
            ("UnauthorizedOperation", "docs/aws.md"),
            ("RequestExpired", "aws sts get-caller-identity"),
            ("PendingVerification", "Wait for its mail"),
            ("InvalidParameterCombination", "ec2_launch_profile: free"),
        ],
    )
    def test_other_refusals_have_their_own_advice(self, run, calls, code, advice):
        error = ClientError({"Error": {"Code": code, "Message": "Not eligible for Free Tier."}}, "RunInstances")
        calls.answers["RunInstances"] = lambda parameters: error
        with pytest.raises(Failed, match=advice):
            run.converge()


class TestRefused:
    """Refused before anything changes, with the variable, the problem and the way out."""

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"region": "eu-wset-1"}, "region: eu-wset-1 is no region that EC2 is in. Did you mean eu-west-1?"),
            ({"vpc_cidr": "10.77.0.0/33"}, "ec2_launch_vpc_cidr: '10.77.0.0/33' is no range of addresses"),
            ({"vpc_cidr": "10.0.0.0/8"}, "is not between /16 and /28"),
            ({"admin_cidrs": ["203.0.113.7"]}, "write 203.0.113.7/32"),
            ({"admin_cidrs": ["::/0"]}, "ec2_launch_admin_from_anywhere: true"),
            ({"admin_cidrs": ["0.0.0.0/00"]}, "0.0.0.0/0 would open port 22 to the whole world"),
            ({"admin_cidrs": ["0.0.0.0/0.0.0.0"]}, "0.0.0.0/0 would open port 22 to the whole world"),
            ({"admin_cidrs": ["::/00"]}, "::/0 would open port 22 to the whole world"),
            ({"admin_cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}, "128.0.0.0/1 would open port 22 to the whole world"),
            ({"admin_cidrs": ["2000::/3"]}, "2000::/3 would open port 22 to the whole world"),
            ({"ttl": "tomorrow"}, "ec2_launch_ttl: 'tomorrow' is no date such as"),
            ({"ttl": "2020-01-01"}, "ec2_launch_ttl: 2020-01-01 is past"),
            ({"image": "giude"}, "ec2_launch_images has no image giude. Did you mean guide?"),
            ({"images": {"guide": {"id": "ami-0000"}}}, "eu-west-1 has no image ami-0000. An AMI id belongs to one"),
            (
                {"images": {"guide": {"owner": "1", "name": "x-{arch}-*", "architectures": {"x86_64": "amd64"}}}},
                "no x86_64 image x-amd64-* of owner 1",
            ),
            ({"images": {"guide": {"ssm_parameter": "/no/{arch}"}}}, "has no SSM parameter /no/x86_64"),
            ({"instances": changed("el", type="t3.midium")}, "eu-west-1 has no instance type t3.midium"),
            ({"instances": changed("el", type="t4g.small")}, "is for x86_64, but the instance type needs arm64"),
            ({"instances": changed("el", security_groups=["admni"])}, "security group admni. Did you mean admin?"),
            ({"instances": changed("el", subnet="c")}, "nobody defines the subnet c"),
            ({"instances": changed("el", name="oltp")}, "ec2_launch_instances: oltp is there 2 times"),
            ({"instances": changed("el", root_volume={"size": 0})}, "a volume's size is between 1 and 65536"),
            ({"type_list": "large"}, "none for this name in the list 'large'. There are the lists small"),
            ({"vpc_id": "vpc-1", "subnets": [{"name": "a", "id": "subnet-1"}]}, "eu-west-1 has no VPC vpc-1."),
            ({"vpc_id": "vpc-1"}, "subnet a: id is missing. In an existing VPC"),
            ({"subnets": [{"name": "a", "availability_zone": "eu-west-1x"}]}, "eu-west-1 has no availability zone"),
            (
                {"subnets": [{"name": "a", "availability_zone": "eu-west-1a", "cidr": "10.78.0.0/24"}]},
                "subnet a: 10.78.0.0/24 is outside 10.77.0.0/16",
            ),
            (
                {
                    "security_groups": [
                        {"name": "admin", "description": "x", "rules": [{"ports": ["1"], "group": "oltpp"}]}
                    ]
                },
                "a rule names the group oltpp, which nobody defines",
            ),
            (
                {
                    "security_groups": [
                        {"name": "admin", "description": "x", "rules": [{"ports": ["80-x"], "cidrs": ["10.0.0.0/8"]}]}
                    ]
                },
                "ports are numbers from 0 to 65535",
            ),
        ],
    )
    def test_a_mistake(self, run, calls, options, told):
        with pytest.raises(Failed) as failure:
            run.plan(**options)
        assert told in str(failure.value)
        assert calls.writes == []

    def test_the_options_of_the_connection_and_of_the_description_are_different_ones(self):
        assert not set(CONNECTION) & set(arguments.DESCRIPTION)

    def test_all_mistakes_at_once(self, run):
        with pytest.raises(Failed) as failure:
            run.plan(vpc_cidr="10.77.0.0", ttl="x", image="none")
        assert len(failure.value.result["problems"]) == 4

    def test_a_private_key_that_others_may_read(self, run):
        run.key.chmod(0o644)
        with pytest.raises(Failed, match=r"others may read .* Run: chmod 600"):
            run.plan()

    def test_a_key_pair_whose_private_key_is_elsewhere(self, run):
        run.converge()
        run.key.unlink()
        with pytest.raises(Failed, match="EC2 has the key pair gym, but there is no private key at"):
            run.plan()

    def test_a_key_pair_of_another_private_key(self, run):
        run.converge()
        run.key.with_name("key.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther gym\n")
        with pytest.raises(Failed, match="does not belong to the key pair gym"):
            run.plan()

    def test_another_range_than_the_one_that_stands(self, run):
        run.converge()
        with pytest.raises(Failed, match=r"AWS cannot change that. Set ec2_launch_vpc_cidr: 10.77.0.0/16"):
            run.plan(vpc_cidr="10.78.0.0/16")

    def test_a_range_that_overlaps_another_vpc_is_warned_of(self, run, account):
        account.create_vpc(CidrBlock="10.77.128.0/17")
        assert "overlaps 10.77.128.0/17" in str(run.plan()["warnings"])

    def test_a_second_vpc_with_the_projects_tag(self, run, account):
        run.converge()
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Project", "Value": "gym"}]}]
        account.create_vpc(CidrBlock="10.99.0.0/16", TagSpecifications=tags)
        with pytest.raises(Failed, match="several VPCs carry the tag Project=gym"):
            run.plan()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("203.0.113.0/24", ""),
        ("2001:db8::/64", ""),
        ("2001:db8::1", "write 2001:db8::1/128"),
        ("10.0.0.7/24", "write 10.0.0.0/24 for the whole range or 10.0.0.7/32 for one address"),
        ("10.0.0/24", "no range of addresses"),
        ("10.0.0.256/32", "no range of addresses"),
        ("", "no range of addresses"),
    ],
)
def test_ranges_of_addresses(text, told):
    problem = checks.cidr_problem(text)
    assert told in problem if told else problem == ""
