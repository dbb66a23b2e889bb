"""DescribeInstances shows what is true."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, Start, make_network, run_instance
from hanger_lab.config import Lab
from hanger_lab.ec2 import truth
from hanger_lab.ec2.faults import Fault, Faults

KILLED, ORDERLY = 137, 0


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each listing count for its own call only."""
    monkeypatch.setattr(truth, "LISTING_SECONDS", 0.0)


@pytest.fixture
def instance(ec2: Any, network: SimpleNamespace) -> str:
    return str(run_instance(ec2, network)["InstanceId"])


def describe(ec2: Any, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return found


def ends(engine: PaperEngine, instance_id: str, exit_code: int) -> None:
    name = next(name for name in engine.states if name.endswith(instance_id))
    engine.states[name], engine.exit_codes[name] = "exited", exit_code


@pytest.mark.parametrize(
    ("exit_code", "reason"), [(KILLED, "Server.InternalError"), (ORDERLY, "Client.InstanceInitiatedShutdown")]
)
def test_a_machine_that_ends_is_stopped_and_starts_again(
    ec2: Any, engine: PaperEngine, instance: str, exit_code: int, reason: str
) -> None:
    ends(engine, instance, exit_code)
    shown = describe(ec2, instance)
    assert (shown["State"]["Name"], shown["StateReason"]["Code"]) == ("stopped", reason)
    assert "PublicIpAddress" not in shown
    ec2.start_instances(InstanceIds=[instance])
    shown = describe(ec2, instance)
    assert (shown["State"]["Name"], shown["PrivateIpAddress"]) == ("running", "10.71.1.4")
    assert set(engine.states.values()) == {"running"}


def test_a_machine_that_ended_is_not_booted_by_the_next_up(ec2: Any, engine: PaperEngine, instance: str) -> None:
    ends(engine, instance, KILLED)
    describe(ec2, instance)
    assert engine.calls[-1][0] == "stop"


@pytest.mark.parametrize(("exit_code", "state"), [(ORDERLY, "terminated"), (KILLED, "stopped")])
def test_shutdown_may_mean_termination(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace, exit_code: int, state: str
) -> None:
    made = run_instance(ec2, network, InstanceInitiatedShutdownBehavior="terminate")["InstanceId"]
    ends(engine, made, exit_code)
    assert describe(ec2, made)["State"]["Name"] == state
    assert bool(engine.states) == (state == "stopped")


def test_a_machine_that_was_removed_is_terminated(ec2: Any, engine: PaperEngine, instance: str) -> None:
    engine.states.clear()
    shown = describe(ec2, instance)
    assert (shown["State"]["Name"], shown["StateReason"]["Code"]) == ("terminated", "Server.InternalError")
    assert ec2.describe_volumes()["Volumes"] == []


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_machine_that_was_started_outside_is_running(
    ec2: Any, engine: PaperEngine, instance: str, state: str
) -> None:
    ec2.stop_instances(InstanceIds=[instance])
    engine.states = dict.fromkeys(engine.states, state)
    assert describe(ec2, instance)["State"]["Name"] == "running"


def test_a_machine_that_boots_again_is_running(ec2: Any, engine: PaperEngine, instance: str) -> None:
    engine.states = dict.fromkeys(engine.states, "restarting")
    assert describe(ec2, instance)["State"]["Name"] == "running"


def test_what_was_seen_is_kept(start: Start, engine: PaperEngine) -> None:
    ec2 = start()
    made = run_instance(ec2, make_network(ec2))["InstanceId"]
    ends(engine, made, KILLED)
    assert describe(ec2, made)["State"]["Name"] == "stopped"
    assert describe(start(), made)["State"]["Name"] == "stopped"


def test_an_engine_that_does_not_answer_ends_nothing(ec2: Any, engine: PaperEngine, instance: str) -> None:
    engine.fail = {"machines"}
    assert describe(ec2, instance)["State"]["Name"] == "running"


def test_a_frozen_or_partitioned_machine_is_impaired(ec2: Any, engine: PaperEngine, instance: str, lab: Lab) -> None:
    def status() -> str:
        return str(
            ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]["InstanceStatus"]["Status"]
        )

    assert status() == "ok"
    engine.states = dict.fromkeys(engine.states, "paused")
    assert status() == "impaired"
    engine.states = dict.fromkeys(engine.states, "running")
    assert status() == "ok"
    Faults(lab.directory / "ec2").order(Fault("partition", instance))
    assert status() == "impaired"


def test_a_partition_outlasts_a_reboot_and_ends_with_the_instance(
    ec2: Any, engine: PaperEngine, instance: str, lab: Lab
) -> None:
    faults = Faults(lab.directory / "ec2")
    faults.order(Fault("partition", instance))
    ec2.reboot_instances(InstanceIds=[instance])
    assert engine.calls[-1][0] == "run"
    ec2.terminate_instances(InstanceIds=[instance])
    assert faults.in_force() == []


def test_a_start_needs_capacity_too(ec2: Any, engine: PaperEngine, instance: str, lab: Lab) -> None:
    ec2.stop_instances(InstanceIds=[instance])
    Faults(lab.directory / "ec2").order(Fault("quota", "vcpus", limit=0))
    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        ec2.start_instances(InstanceIds=[instance])
    assert describe(ec2, instance)["State"]["Name"] == "stopped"
