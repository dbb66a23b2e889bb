"""The platform as its users meet it: the warehouse holds the gym's rows, and only who may reads them."""

import json
import os
import socket
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

LAB = Path(os.environ.get("HANGER_LAB_DIR", ".lab")).resolve()
FACTS = json.loads((LAB / "lab.json").read_text())


def login(user):
    account = FACTS["snowflake"]
    return snowflake.connector.connect(
        account=account["account"],
        host=account["host"],
        port=account["port"],
        protocol=account["protocol"],
        user=user,
        private_key_file=str(LAB / f"secrets/snowflake/{user.lower()}.p8"),
        login_timeout=10,
        network_timeout=20,
    )


def test_dbt_reads_the_climbs_that_airbyte_copied():
    with login("DBT") as session:
        row = (
            session.cursor()
            .execute(
                "SELECT count(*), count(DISTINCT MEMBER_ID), min(ROUTE_CLIMB_RATING), max(ROUTE_CLIMB_RATING)"
                " FROM RAW.THEHANGERDB.ROUTECLIMBS"
            )
            .fetchone()
        )
    climbs, members, lowest, highest = row
    assert 50_000 < climbs < 70_000
    assert members > 1_000
    assert (lowest, highest) == (1, 10)


def test_superset_reads_no_raw_table():
    with login("SUPERSET") as session, pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        session.cursor().execute("SELECT count(*) FROM RAW.THEHANGERDB.MEMBERS")


@pytest.mark.parametrize(("host", "port"), [("oltp", 5432), ("el", 8000)])
def test_services_are_closed_to_the_outside(host, port):
    import boto3

    ec2 = boto3.client(
        "ec2",
        endpoint_url=FACTS["ec2"]["endpoint_url"],
        region_name=FACTS["ec2"]["region"],
        aws_access_key_id=FACTS["ec2"]["access_key"],
        aws_secret_access_key=FACTS["ec2"]["secret_key"],
    )
    filters = [
        {"Name": "tag:Name", "Values": [f"thehanger-{host}"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    (instance,) = (i for r in ec2.describe_instances(Filters=filters)["Reservations"] for i in r["Instances"])
    for open_port, expected in ((22, True), (port, False)):
        with socket.socket() as client:
            client.settimeout(2)
            assert (client.connect_ex((instance["PublicIpAddress"], open_port)) == 0) is expected
