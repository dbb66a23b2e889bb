"""The whole site, built from inventories/aws against the lab: nothing differs but endpoints and the Airbyte flavour."""

import json
import os
import re
import secrets
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from hanger_lab.ec2.faults import USER_AGENT
from iam_gate import Gate, standing
from runs import ROOT, Platform, Run

__all__ = ["LAB", "PROJECT", "Platform", "Run"]

LAB = Path(os.environ.get("HANGER_LAB_DIR", ROOT / ".lab")).resolve()
PROJECT = "hanger-aws"
DEFAULT_VPC = "10.77.0.0/16"


@pytest.fixture(scope="session")
def facts():
    return json.loads((LAB / "lab.json").read_text())


@pytest.fixture(scope="session")
def chosen_secrets():
    return {
        "HANGER_EXTRACTION_PASSWORD": secrets.token_hex(16),
        "HANGER_ANALYST_PASSWORD": secrets.token_hex(16),
        "HANGER_PGADMIN_PASSWORD": secrets.token_hex(16),
        "HANGER_BACKUP_PASSPHRASE": secrets.token_hex(16),
        "AIRBYTE_CLIENT_ID": secrets.token_hex(16),
        "AIRBYTE_CLIENT_SECRET": secrets.token_hex(24),
    }


@pytest.fixture(scope="session")
def policy():
    """What docs/aws-policy.json and the one for backups allow, for the project of these tests."""
    texts = [(ROOT / "docs" / name).read_text() for name in ("aws-policy.json", "aws-policy-backups.json")]
    policies = [json.loads(re.sub(r'(?<=["/:])thehanger(?=["-])', PROJECT, text)) for text in texts]
    return {**policies[0], "Statement": [statement for each in policies for statement in each["Statement"]]}


@pytest.fixture(scope="session")
def gate(facts, policy):
    """A gate before the lab's EC2 whose user may do what the policy allows, and nothing else."""
    return Gate(policy, facts["ec2"]["endpoint_url"], facts["ec2"]["region"], facts["ec2"])


@pytest.fixture(scope="session")
def ec2(facts):
    """The lab's EC2 without the gate; what it is asked is not in the journals."""
    return ungated(facts, "ec2")


@pytest.fixture(scope="session")
def s3(facts):
    """The lab's S3 without the gate."""
    return ungated(facts, "s3")


def ungated(facts, service):
    """Return a client of the lab's own."""
    key = facts["ec2"]
    session = boto3.Session(key["access_key"], key["secret_key"], region_name=key["region"])
    return session.client(service, endpoint_url=key["endpoint_url"], config=Config(user_agent=USER_AGENT))


@pytest.fixture(scope="session")
def aws_endpoint(gate):
    """The URL of the gate."""
    with standing(gate) as url:
        yield url


@pytest.fixture(scope="session")
def aws(facts, aws_endpoint, chosen_secrets, tmp_path_factory):
    """The world of inventories/aws as the policy's user sees it, not built yet."""
    endpoints = {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": facts["ec2"]["access_key"],
        "AWS_SECRET_ACCESS_KEY": facts["ec2"]["secret_key"],
        "AWS_REGION": facts["ec2"]["region"],
        "SNOWFLAKE_ACCOUNT": facts["snowflake"]["account"],
        "SNOWFLAKE_HOST": facts["snowflake"]["host"],
        "SNOWFLAKE_PORT": str(facts["snowflake"]["port"]),
        "SNOWFLAKE_PROTOCOL": facts["snowflake"]["protocol"],
        "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
        "SNOWFLAKE_PRIVATE_KEY_PATH": facts["snowflake"]["private_key_path"],
        "HANGER_ADMIN_CIDRS": "203.0.113.7/32",
        "HANGER_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "HANGER_PROJECT": PROJECT,
        "HANGER_BACKUPS": "s3",
    }
    flavour = {
        "airbyte_flavor": "lab",
        "airbyte_lab_image": facts["airbyte"]["image"],
        "airbyte_lab_image_archive": facts["airbyte"]["archive"],
        "hanger_destination_jdbc_url_params": "ssl=off",
        "hanger_backup_s3_endpoint": facts["s3"]["host"],
        "hanger_backup_s3_port": facts["s3"]["port"],
        "hanger_backup_s3_ca_certificate": Path(facts["s3"]["ca_certificate_path"]).read_text(),
        "hanger_backup_s3_uri_style": "path",
    }
    if facts["network"]["vpc_cidr"] != DEFAULT_VPC:
        # Another lab on this host uses the range; on AWS there would be no such neighbour.
        flavour["ec2_launch_vpc_cidr"] = facts["network"]["vpc_cidr"]
    environment = {**os.environ, **endpoints, **chosen_secrets}
    environment.pop("HANGER_LAB_DIR", None)
    return Platform("aws", environment, ("-e", json.dumps(flavour)))


@pytest.fixture(scope="session")
def built(aws, ec2):
    """The platform, standing; removed after the last test unless a test has done so."""
    first = aws.play("--diff")
    try:
        assert first.code == 0, first.output[-6000:]
        yield first
    finally:
        tagged = [{"Name": "tag:Project", "Values": [PROJECT]}]
        if ec2.describe_vpcs(Filters=tagged)["Vpcs"]:
            wish = f"hanger_destroy_confirm={PROJECT} hanger_destroy_backups=delete"
            removal = aws.play("-e", wish, playbook="playbooks/destroy.yml")
            assert removal.code == 0, removal.output[-4000:]
