"""What the lab's RDS tells and refuses beyond moto."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import Start, client
from hanger_lab.config import Lab

GROUP = "gym-postgres17"


@pytest.fixture
def subnets(ec2: Any) -> list[str]:
    vpc = ec2.create_vpc(CidrBlock="10.72.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.72.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]


@pytest.fixture
def rds(lab: Lab, ec2: Any) -> Any:
    return client("rds", lab, ec2.meta.endpoint_url)


@pytest.fixture
def instance(rds: Any, subnets: list[str]) -> dict[str, Any]:
    rds.create_db_parameter_group(DBParameterGroupName=GROUP, DBParameterGroupFamily="postgres17", Description="gym")
    rds.create_db_subnet_group(DBSubnetGroupName="gym", DBSubnetGroupDescription="gym", SubnetIds=subnets)
    created: dict[str, Any] = rds.create_db_instance(
        DBInstanceIdentifier="gym",
        DBInstanceClass="db.t4g.small",
        Engine="postgres",
        EngineVersion="17",
        MasterUsername="admin",
        MasterUserPassword="only-here",
        StorageType="gp3",
        AllocatedStorage=20,
        DBSubnetGroupName="gym",
        DBParameterGroupName=GROUP,
    )["DBInstance"]
    return created


def parameter(name: str, value: str, method: str = "immediate") -> dict[str, str]:
    return {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}


def waits(rds: Any) -> bool:
    (found,) = rds.describe_db_instances(DBInstanceIdentifier="gym")["DBInstances"]
    return bool(found["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot")


def test_an_instance_has_the_newest_minor_version_and_the_speed_of_gp3(instance: dict[str, Any]) -> None:
    assert instance["EngineVersion"].startswith("17.")
    assert (instance["Iops"], instance["StorageThroughput"]) == (3000, 125)
    assert "MasterUserPassword" not in str(instance)


def test_a_family_tells_types_ranges_and_what_is_kept_from_change(rds: Any) -> None:
    pages = rds.get_paginator("describe_engine_default_parameters").paginate(DBParameterGroupFamily="postgres17")
    known = {each["ParameterName"]: each for page in pages for each in page["EngineDefaults"]["Parameters"]}
    assert known["max_connections"]["ApplyType"] == "static"
    assert known["max_slot_wal_keep_size"]["AllowedValues"] == "-1-2147483647"
    assert known["archive_mode"]["IsModifiable"] is False
    assert "wal_level" not in known


def test_a_group_that_is_not_there_is_not_found(rds: Any) -> None:
    with pytest.raises(ClientError, match="DBParameterGroupNotFound"):
        rds.describe_db_parameters(DBParameterGroupName="nothing")
    with pytest.raises(ClientError, match="DBParameterGroupNotFound"):
        rds.describe_db_parameter_groups(DBParameterGroupName="nothing")


def test_a_static_parameter_waits_for_a_reboot(rds: Any, instance: dict[str, Any]) -> None:
    rds.modify_db_parameter_group(DBParameterGroupName=GROUP, Parameters=[parameter("work_mem", "8192")])
    assert not waits(rds)
    rds.modify_db_parameter_group(
        DBParameterGroupName=GROUP, Parameters=[parameter("max_connections", "200", "pending-reboot")]
    )
    assert waits(rds)
    rds.reboot_db_instance(DBInstanceIdentifier="gym")
    assert not waits(rds)
    own = rds.describe_db_parameters(DBParameterGroupName=GROUP, Source="user")["Parameters"]
    assert {each["ParameterName"]: each["ParameterValue"] for each in own} == {
        "work_mem": "8192",
        "max_connections": "200",
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (parameter("share_buffers", "1"), "Could not find parameter"),
        (parameter("archive_mode", "off"), "cannot be modified"),
        (parameter("max_connections", "200"), "immediate apply method for static"),
        (parameter("max_slot_wal_keep_size", "4GB"), "allowed values are: -1-2147483647"),
        (parameter("shared_preload_libraries", "pgaudit,mine", "pending-reboot"), "allowed values are"),
    ],
)
def test_what_a_group_cannot_hold_is_refused(rds: Any, instance: Any, given: dict[str, str], told: str) -> None:
    with pytest.raises(ClientError, match=told):
        rds.modify_db_parameter_group(DBParameterGroupName=GROUP, Parameters=[given])
    assert rds.describe_db_parameters(DBParameterGroupName=GROUP, Source="user")["Parameters"] == []


def test_what_an_instance_uses_stays(rds: Any, ec2: Any, subnets: list[str], instance: Any) -> None:
    for refused in (
        lambda: rds.delete_db_parameter_group(DBParameterGroupName=GROUP),
        lambda: rds.delete_db_subnet_group(DBSubnetGroupName="gym"),
        lambda: ec2.delete_subnet(SubnetId=subnets[0]),
    ):
        with pytest.raises(ClientError, match="gym"):
            refused()
    rds.delete_db_instance(DBInstanceIdentifier="gym", SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(DBParameterGroupName=GROUP)
    rds.delete_db_subnet_group(DBSubnetGroupName="gym")
    ec2.delete_subnet(SubnetId=subnets[0])


def test_one_zone_is_not_enough(rds: Any, subnets: list[str]) -> None:
    with pytest.raises(ClientError, match="coverage requirement"):
        rds.create_db_subnet_group(DBSubnetGroupName="a", DBSubnetGroupDescription="a", SubnetIds=subnets[:1])


def test_instances_survive_a_restart(start: Start, lab: Lab, rds: Any, instance: dict[str, Any]) -> None:
    again = client("rds", lab, start().meta.endpoint_url)
    (found,) = again.describe_db_instances(DBInstanceIdentifier="gym")["DBInstances"]
    assert found["Endpoint"] == instance["Endpoint"]
    assert found["DBSubnetGroup"]["VpcId"] == instance["DBSubnetGroup"]["VpcId"]
