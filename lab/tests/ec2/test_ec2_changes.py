"""What may change of an instance and of its volumes, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, run_instance
from hanger_lab.ec2 import volumes


@pytest.fixture
def instance(ec2: Any, network: SimpleNamespace) -> str:
    return str(run_instance(ec2, network)["InstanceId"])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "MODIFYING_SECONDS", 0.0)
    monkeypatch.setattr(volumes, "OPTIMIZING_SECONDS", 0.0)


def describe(ec2: Any, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return found


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_type_changes_while_stopped_only(ec2: Any, instance: str) -> None:
    larger: dict[str, Any] = {"InstanceId": instance, "InstanceType": {"Value": "t3.large"}}
    with pytest.raises(ClientError) as error:
        ec2.modify_instance_attribute(**larger)
    assert code(error) == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[instance])
    for wrong, expected in {"t3.gigantic": "InvalidParameterValue", "t4g.small": "InvalidParameterValue"}.items():
        with pytest.raises(ClientError) as error:
            ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": wrong})
        assert code(error) == expected
    ec2.modify_instance_attribute(**larger)
    ec2.start_instances(InstanceIds=[instance])
    assert describe(ec2, instance)["InstanceType"] == "t3.large"


def test_protection_can_be_taken_away(ec2: Any, engine: PaperEngine, instance: str) -> None:
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
    with pytest.raises(ClientError) as error:
        ec2.terminate_instances(InstanceIds=[instance])
    assert code(error) == "OperationNotPermitted"
    assert ec2.describe_instance_attribute(InstanceId=instance, Attribute="disableApiTermination")[
        "DisableApiTermination"
    ]["Value"]
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[instance])
    assert not engine.states


def test_what_shutdown_means_can_be_changed(ec2: Any, instance: str) -> None:
    name = "instanceInitiatedShutdownBehavior"
    ec2.modify_instance_attribute(InstanceId=instance, InstanceInitiatedShutdownBehavior={"Value": "terminate"})
    shown = ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
    assert shown["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"
    with pytest.raises(ClientError) as error:
        ec2.modify_instance_attribute(InstanceId=instance, InstanceInitiatedShutdownBehavior={"Value": "explode"})
    assert code(error) == "InvalidParameterValue"


def test_the_images_root_volume_is_always_there(ec2: Any, network: SimpleNamespace) -> None:
    data = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "Encrypted": True}}
    made = run_instance(ec2, network, BlockDeviceMappings=[data])["InstanceId"]
    shown = {mapping["DeviceName"]: mapping["Ebs"] for mapping in describe(ec2, made)["BlockDeviceMappings"]}
    assert {device: ebs["DeleteOnTermination"] for device, ebs in shown.items()} == {
        "/dev/xvda": True,
        "/dev/sdf": False,
    }
    found = {volume["VolumeId"]: volume for volume in ec2.describe_volumes()["Volumes"]}
    root, other = (found[shown[device]["VolumeId"]] for device in ("/dev/xvda", "/dev/sdf"))
    assert (root["Size"], root["VolumeType"], root["Iops"], root["Throughput"]) == (8, "gp3", 3000, 125)
    assert [volume["Attachments"][0]["DeleteOnTermination"] for volume in (root, other)] == [True, False]
    assert (other["Size"], other["Encrypted"], other["State"]) == (20, True, "in-use")
    ec2.terminate_instances(InstanceIds=[made])
    assert [volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]] == [other["VolumeId"]]


def test_speed_is_kept(ec2: Any, network: SimpleNamespace) -> None:
    fast = {"VolumeSize": 30, "VolumeType": "gp3", "Iops": 4000, "Throughput": 250, "Encrypted": True}
    run_instance(ec2, network, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": fast}])
    (volume,) = ec2.describe_volumes()["Volumes"]
    assert (volume["Size"], volume["Iops"], volume["Throughput"], volume["Encrypted"]) == (30, 4000, 250, True)


@pytest.mark.parametrize(
    ("ebs", "expected"),
    [
        ({"VolumeSize": 5}, "InvalidBlockDeviceMapping"),
        ({"VolumeSize": 9, "VolumeType": "gp2", "Throughput": 200}, "InvalidParameterCombination"),
    ],
)
def test_a_volume_that_cannot_be_launches_nothing(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace, ebs: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": ebs}])
    assert code(error) == expected
    assert not engine.specs
    assert ec2.describe_volumes()["Volumes"] == []


@pytest.mark.usefixtures("quick")
def test_a_volume_grows_and_does_not_shrink(ec2: Any, instance: str) -> None:
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    with pytest.raises(ClientError) as error:
        ec2.describe_volumes_modifications(VolumeIds=[volume])
    assert code(error) == "InvalidVolumeModification.NotFound"
    with pytest.raises(ClientError) as error:
        ec2.modify_volume(VolumeId=volume, Size=7)
    assert code(error) == "InvalidParameterValue"
    begun = ec2.modify_volume(VolumeId=volume, Size=12, Iops=4000)["VolumeModification"]
    assert (begun["OriginalSize"], begun["TargetSize"]) == (8, 12)
    assert (begun["OriginalIops"], begun["TargetIops"], begun["TargetVolumeType"]) == (3000, 4000, "gp3")
    ec2.modify_volume(VolumeId=volume, VolumeType="gp2")
    (shown,) = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
    assert (shown["ModificationState"], shown["Progress"], shown["TargetVolumeType"]) == ("completed", 100, "gp2")
    described = ec2.describe_volumes()["Volumes"][0]
    assert (described["Size"], described["VolumeType"], described["Iops"]) == (12, "gp2", 100)


@pytest.mark.parametrize(("seconds", "state"), [((60.0, 120.0), "modifying"), ((0.0, 60.0), "optimizing")])
def test_one_change_after_the_other(
    ec2: Any, instance: str, monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float], state: str
) -> None:
    monkeypatch.setattr(volumes, "MODIFYING_SECONDS", seconds[0])
    monkeypatch.setattr(volumes, "OPTIMIZING_SECONDS", seconds[1])
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    ec2.modify_volume(VolumeId=volume, Size=12)
    (shown,) = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
    assert shown["ModificationState"] == state
    with pytest.raises(ClientError) as error:
        ec2.modify_volume(VolumeId=volume, Size=20)
    assert code(error) == "IncorrectModificationState"
    assert ec2.describe_volumes()["Volumes"][0]["Size"] == 12


def test_a_profile_that_does_not_exist_launches_nothing(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace
) -> None:
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, IamInstanceProfile={"Name": "nobody"})
    assert code(error) == "InvalidParameterValue"
    assert "Invalid IAM Instance Profile name" in str(error.value)
    assert not engine.specs
