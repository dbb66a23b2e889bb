"""Removal, every option of the machines, and then whether docs/aws-policy.json allowed what it must, and no more."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import LAB, PROJECT
from iam import statements
from iam_gate import ACCOUNT

# Called only when something was changed by hand, or when there is more of it than here.
RARE = {
    "ec2:ReplaceRoute": "only when somebody has changed the default route",
}
# amazon.aws.aws_caller_info asks for it, and goes on without.
DISPENSABLE = "iam:ListAccountAliases "
# What only machines call, with their role: the policy of the user is not theirs.
MACHINES = {"s3:GetObject", "s3:PutObject"}
BUCKET = f"{PROJECT}-backups-{ACCOUNT}-eu-west-1"
CONFIRMED = ("-e", f"hanger_destroy_confirm={PROJECT} hanger_destroy_backups=delete")
KEPT = ("-e", f"hanger_destroy_confirm={PROJECT} hanger_destroy_backups=keep")


def test_the_platform_is_removed_but_for_its_backups(aws, built, ec2, s3):
    asked = aws.play("-e", f"hanger_destroy_confirm={PROJECT}", playbook="playbooks/destroy.yml")
    assert asked.code != 0
    assert "holds the database's backups" in asked.text
    assert instances(ec2)
    run = aws.play(*KEPT, playbook="playbooks/destroy.yml")
    assert run.code == 0, run.output[-4000:]
    assert f"Asked again: nothing carries the tag Project={PROJECT}" in run.text
    assert instances(ec2) == []
    assert s3.head_bucket(Bucket=BUCKET)


def test_the_backups_are_removed_and_another_removal_finds_nothing(aws, built, s3):
    run = aws.play(*CONFIRMED, playbook="playbooks/destroy.yml")
    assert run.code == 0, run.output[-4000:]
    with pytest.raises(ClientError, match="Not Found"):
        s3.head_bucket(Bucket=BUCKET)
    again = aws.play(*CONFIRMED, playbook="playbooks/destroy.yml")
    assert again.code == 0, again.output[-4000:]
    assert again.changed == 0


def test_the_vendors_parameter_is_read_for_an_image_that_the_lab_does_not_have(aws):
    run = aws.play("--check", "-e", "ec2_launch_image=ubuntu-24.04", playbook="playbooks/infra.yml")
    assert run.code != 0
    assert "ec2_launch_images, image ubuntu-24.04 (for oltp, el, tools): eu-west-1 has no image ami-" in run.text


def options(**more):
    """Describe one machine with every option, and what differs."""
    instance = {
        "name": "el",
        "hanger_roles": ["oltp", "el", "tools"],
        "type": more.pop("type", "t3.small"),
        "security_groups": ["admin", more.pop("group", "el")],
        "root_volume": {"size": more.pop("size", 20)},
        "volumes": more.pop("volumes", []),
        "metadata_hop_limit": more.pop("hop_limit", 3),
        "termination_protection": more.pop("protected", False),
        "elastic_ip": True,
    }
    # Without a bucket the first machine has no profile, and is given one later.
    return json.dumps({"ec2_launch_instances": [instance], "ec2_launch_backup_bucket_enabled": False, **more})


@pytest.fixture(scope="module")
def with_options(aws, ec2):
    """A machine that is launched, changed in every way that is possible, and removed."""
    statement = {"Effect": "Allow", "Action": "ec2:DescribeTags", "Resource": "*"}
    first = options(ec2_launch_ttl="2099-01-01")
    second = options(
        type="t3.medium",
        group="tools",
        size=24,
        volumes=[{"device": "/dev/sdf", "size": 5}],
        hop_limit=2,
        protected=True,
        ec2_launch_allow_resize=True,
        ec2_launch_instance_profile_policy=[statement],
    )
    runs = [aws.play("-e", values, playbook="playbooks/infra.yml") for values in (first, second, second)]
    found = instances(ec2)
    runs.append(aws.play(*CONFIRMED, "--tags", "ec2_launch", playbook="playbooks/destroy.yml"))
    return runs, found


def test_every_option_is_applied_and_removed_again(with_options, ec2):
    runs, (machine,) = with_options
    for run in runs:
        assert run.code == 0, run.output[-5000:]
    assert runs[2].changed == 0, runs[2].output
    assert machine["InstanceType"] == "t3.medium"
    assert machine["IamInstanceProfile"]["Arn"].endswith(f"/{PROJECT}-eu-west-1")
    assert machine["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert "hanger_ttl" not in {tag["Key"] for tag in machine["Tags"]}
    assert len(machine["BlockDeviceMappings"]) == 2
    assert instances(ec2) == []


def test_nothing_was_called_that_the_policy_does_not_allow(gate, with_options):
    assert [each for each in gate.refused if not each.startswith(DISPENSABLE)] == []


def test_every_call_of_the_journal_went_through_the_gate(gate, with_options):
    journal = set((LAB / "ec2" / "calls.log").read_text().split())
    assert journal - gate.called <= MACHINES


def test_nothing_is_allowed_that_was_never_called(gate, policy, with_options):
    allowed = {action for _, actions, *_ in statements(policy) for action in actions}
    assert allowed - gate.needed == set(RARE)


# Last, since it is about refusals.
@pytest.mark.parametrize("tags", [{}, {"Project": "payroll"}], ids=str)
def test_the_gate_refuses_what_is_not_the_projects(facts, aws_endpoint, with_options, tags):
    key = facts["ec2"]
    session = boto3.Session(key["access_key"], key["secret_key"], region_name=key["region"])
    given = [{"ResourceType": "vpc", "Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}]
    client = session.client("ec2", endpoint_url=aws_endpoint)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        client.create_vpc(CidrBlock="192.0.2.0/24", **({"TagSpecifications": given} if tags else {}))


def test_the_gate_refuses_a_bucket_that_is_not_the_projects(facts, aws_endpoint, with_options):
    key = facts["ec2"]
    session = boto3.Session(key["access_key"], key["secret_key"], region_name=key["region"])
    client = session.client("s3", endpoint_url=aws_endpoint)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_bucket(Bucket="payroll", CreateBucketConfiguration={"LocationConstraint": key["region"]})


def instances(ec2):
    """Return the project's instances that are not terminated."""
    alive = [
        {"Name": "tag:Project", "Values": [PROJECT]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    return [row for page in ec2.describe_instances(Filters=alive)["Reservations"] for row in page["Instances"]]
