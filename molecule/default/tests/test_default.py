"""The platform as its users meet it: the warehouse holds the gym's rows, and only who may reads them."""

import socket

import pytest
from snowflake.connector.errors import ProgrammingError


def test_dbt_reads_the_climbs_that_airbyte_copied(login):
    with login("DBT", "snowflake/dbt.p8") as session:
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


def test_superset_reads_no_raw_table(login):
    refused = pytest.raises(ProgrammingError, match="does not exist or not authorized")
    with login("SUPERSET", "snowflake/superset.p8") as session, refused:
        session.cursor().execute("SELECT count(*) FROM RAW.THEHANGERDB.MEMBERS")


@pytest.mark.parametrize(("host", "port"), [("oltp", 5432), ("el", 8000)])
def test_services_are_closed_to_the_outside(ec2, host, port):
    filters = [
        {"Name": "tag:Name", "Values": [f"thehanger-{host}"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    (instance,) = (i for r in ec2.describe_instances(Filters=filters)["Reservations"] for i in r["Instances"])
    for open_port, expected in ((22, True), (port, False)):
        with socket.socket() as client:
            client.settimeout(2)
            assert (client.connect_ex((instance["PublicIpAddress"], open_port)) == 0) is expected
