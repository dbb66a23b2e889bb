"""Networks, machines and images on a real engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from hanger_lab.machines import (
    SEED,
    Engine,
    ImageError,
    Machine,
    MachineError,
    RangeError,
    ensure_image,
    first_boot,
)

pytestmark = pytest.mark.engine
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEx4bW9kdWxlLXRlc3Qta2V5LW9ubHktZm9yLXRlc3Rz test"


@pytest.fixture
def network(engine: Engine) -> tuple[str, IPv4Network]:
    name, cidr = f"{engine.prefix}net", engine.free_range(24)
    engine.create_network(name, cidr)
    return name, cidr


@pytest.fixture
def machine(engine: Engine, network: tuple[str, IPv4Network]) -> Iterator[str]:
    name = f"{engine.prefix}one"
    tag = ensure_image(engine, "debian-13")
    files = first_boot("one", KEY, "#!/bin/sh\necho once >>/root/user-data\n")
    engine.launch(Machine(name, tag, network[0], network[1][20], "one", ("one.example",), files))
    boot(engine, name)
    yield name
    engine.remove(name)


def boot(engine: Engine, name: str, expected: str = "running", seconds: float = 120) -> None:
    deadline, state = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            state = engine.run(name, ["sh", "-c", "systemctl is-system-running || true"]).strip()
        except MachineError as error:
            state = str(error)
        if state == expected:
            return
        time.sleep(0.2)
    pytest.fail(f"{name} is {state} after {seconds:.0f} s")


def test_a_machine_lives_as_its_seed_says(engine: Engine, machine: str, network: tuple[str, IPv4Network]) -> None:
    [status] = engine.machines()
    assert (status.name, status.address, status.state) == (machine, str(network[1][20]), "running")
    facts = engine.run(
        machine, ["sh", "-c", "hostname; cat /home/admin/.ssh/authorized_keys; sudo -u admin sudo -n id -u"]
    )
    assert facts.split("\n")[:3] == ["one", KEY, "0"]
    assert "status: done" in engine.run(machine, ["cloud-init", "status", "--wait"])
    assert engine.run(machine, ["cat"], stdin=b"through\nstdin") == "through\nstdin"

    before = engine.run(machine, ["cat", "/proc/sys/kernel/random/boot_id"])
    engine.restart(machine)
    boot(engine, machine)
    assert engine.run(machine, ["cat", "/proc/sys/kernel/random/boot_id"]) != before
    assert engine.run(machine, ["cat", "/root/user-data"]) == "once\n"


def test_a_machine_stays_stopped_until_it_is_started(engine: Engine, machine: str) -> None:
    engine.stop(machine)
    assert engine.resume() == []
    assert engine.machines()[0].state == "exited"
    engine.start(machine)
    engine.client.api.kill(machine)
    engine.client.api.wait(machine, timeout=20)
    if engine.machines()[0].state != "running":
        assert engine.resume() == [machine]
    boot(engine, machine)


def exit_code(engine: Engine, machine: str, seconds: float = 60) -> int | None:
    """Return with what a machine ends by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        [status] = engine.machines()
        if status.state == "exited":
            return status.exit_code
        time.sleep(0.1)
    pytest.fail(f"{machine} has not ended after {seconds:.0f} s")


@pytest.mark.parametrize("image", ["debian-13", "debian-12"])
def test_reboot_comes_back_and_poweroff_does_not(engine: Engine, network: tuple[str, IPv4Network], image: str) -> None:
    name = f"{engine.prefix}power"
    engine.launch(Machine(name, ensure_image(engine, image), network[0], network[1][21], files=first_boot("power")))
    boot(engine, name)
    before = engine.run(name, ["cat", "/proc/sys/kernel/random/boot_id"])
    engine.run(name, ["systemctl", "--no-block", "reboot"])
    engine.client.api.wait(name, timeout=60)
    boot(engine, name)
    assert engine.run(name, ["cat", "/proc/sys/kernel/random/boot_id"]) != before

    engine.run(name, ["systemctl", "--no-block", "poweroff"])
    assert exit_code(engine, name) == 0
    assert engine.resume() == []
    engine.start(name)
    boot(engine, name)


def test_what_the_engine_itself_ended_comes_back(engine: Engine, machine: str) -> None:
    """An engine that ends in good order sends every container its stop signal, and knows who stopped it before."""
    engine.client.api.stop(machine, timeout=20)
    assert exit_code(engine, machine) not in (None, 0)
    assert engine.resume() == [machine]
    boot(engine, machine)


def test_broken_rules_close_the_machine(engine: Engine, machine: str) -> None:
    engine.put_files(machine, {f"{SEED}/security-groups.nft": "this is no ruleset"})
    engine.restart(machine)
    boot(engine, machine, expected="degraded")
    assert "policy drop" in engine.run(machine, ["nft", "list", "table", "inet", "hanger_closed"])


def test_host_authorities_survive_the_machines_own_update(engine: Engine, machine: str) -> None:
    count = ["grep", "-c", "BEGIN CERTIFICATE", "/etc/ssl/certs/ca-certificates.crt"]
    before = int(engine.run(machine, count))
    engine.run(machine, ["sh", "-c", "cat /usr/local/share/ca-certificates/*.crt >/root/local 2>/dev/null || :"])
    engine.run(machine, ["update-ca-certificates"])
    assert int(engine.run(machine, count)) > before / 2
    missing = (
        'while read -r line; do grep -qxF -e "$line" /etc/ssl/certs/ca-certificates.crt || exit 1; done </root/local'
    )
    engine.run(machine, ["sh", "-c", missing])


def test_a_failing_command_says_how_it_failed(engine: Engine, machine: str) -> None:
    with pytest.raises(MachineError, match="ended with 3: broken"):
        engine.run(machine, ["sh", "-c", "echo broken >&2; exit 3"])


def test_nothing_is_left_of_a_machine_that_does_not_launch(engine: Engine, network: tuple[str, IPv4Network]) -> None:
    name = f"{engine.prefix}broken"
    with pytest.raises(MachineError, match="hanger-lab up"):
        engine.launch(Machine(name, "hanger-lab/none:1", network[0]))
    with pytest.raises(MachineError, match="cannot launch"):
        engine.launch(Machine(name, ensure_image(engine, "debian-13"), f"{engine.prefix}none"))
    assert engine.machines() == []
    label = {"label": f"com.thehanger.lab={engine.lab.id}"}
    assert engine.client.volumes.list(filters=label) == []


def test_machines_of_others_are_out_of_reach(engine: Engine, network: tuple[str, IPv4Network]) -> None:
    with pytest.raises(MachineError, match=engine.prefix):
        engine.launch(Machine("hanger-other-one", "hanger-lab/debian:13", network[0]))


def test_a_range_in_use_is_refused(engine: Engine, network: tuple[str, IPv4Network]) -> None:
    with pytest.raises(RangeError, match=network[0]):
        engine.create_network(f"{engine.prefix}second", network[1])
    with pytest.raises(RangeError, match="exists with the range"):
        engine.create_network(network[0], engine.free_range(24))
    engine.create_network(*network)
    engine.remove_network(network[0])
    engine.remove_network(network[0])
    assert network[0] not in engine.networks()


def test_a_reserved_range_is_not_given_away(engine: Engine) -> None:
    kept = engine.free_range(16)
    name = f"{engine.prefix}keeper"
    engine.create_network(name, engine.free_range(24, taken={"kept": kept}), reserved=kept)
    try:
        assert engine.reserved()[name] == kept
        assert not engine.free_range(16, [kept]).overlaps(kept)
    finally:
        engine.remove_network(name)


def test_absent_machines_are_removed_without_complaint(engine: Engine) -> None:
    engine.remove(f"{engine.prefix}never")


def test_an_unknown_image_names_those_that_exist(engine: Engine) -> None:
    with pytest.raises(ImageError, match=r"'fedora'.*debian-13"):
        ensure_image(engine, "fedora")
