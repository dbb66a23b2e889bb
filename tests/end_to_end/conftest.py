"""The whole site, built from inventories/aws against the lab: nothing differs but endpoints and the Airbyte flavour."""

import json
import os
import secrets
from pathlib import Path

import pytest
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
        "AIRBYTE_CLIENT_ID": secrets.token_hex(16),
        "AIRBYTE_CLIENT_SECRET": secrets.token_hex(24),
    }


@pytest.fixture(scope="session")
def aws(facts, chosen_secrets, tmp_path_factory):
    """The world of inventories/aws, not built yet."""
    endpoints = {
        "AWS_ENDPOINT_URL": facts["ec2"]["endpoint_url"],
        "AWS_ACCESS_KEY_ID": facts["ec2"]["access_key"],
        "AWS_SECRET_ACCESS_KEY": facts["ec2"]["secret_key"],
        "AWS_REGION": facts["ec2"]["region"],
        "SNOWFLAKE_ACCOUNT": facts["snowflake"]["account"],
        "SNOWFLAKE_HOST": facts["snowflake"]["host"],
        "SNOWFLAKE_PORT": str(facts["snowflake"]["port"]),
        "SNOWFLAKE_PROTOCOL": facts["snowflake"]["protocol"],
        "SNOWFLAKE_PRIVATE_KEY_PATH": facts["snowflake"]["private_key_path"],
        "HANGER_ADMIN_CIDRS": "203.0.113.7/32",
        "HANGER_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "HANGER_PROJECT": PROJECT,
    }
    flavour = {
        "airbyte_flavor": "lab",
        "airbyte_lab_image": facts["airbyte"]["image"],
        "airbyte_lab_image_archive": facts["airbyte"]["archive"],
        "hanger_destination_jdbc_url_params": "ssl=off",
    }
    if facts["network"]["vpc_cidr"] != DEFAULT_VPC:
        # Another lab on this host uses the range; on AWS there would be no such neighbour.
        flavour["ec2_launch_vpc_cidr"] = facts["network"]["vpc_cidr"]
    environment = {**os.environ, **endpoints, **chosen_secrets}
    environment.pop("HANGER_LAB_DIR", None)
    return Platform("aws", environment, ("-e", json.dumps(flavour)))


@pytest.fixture(scope="session")
def built(aws):
    """The platform, standing; removed after the last test."""
    first = aws.play("--diff")
    try:
        assert first.code == 0, first.output[-6000:]
        yield first
    finally:
        removal = aws.play("-e", f"hanger_destroy_confirm={PROJECT}", playbook="playbooks/destroy.yml")
        assert removal.code == 0, removal.output[-4000:]
