"""`hanger-lab machine`: single machines, without the endpoints, as Molecule uses them."""

from __future__ import annotations

import argparse
import json
import sys
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.lock import exclusive
from hanger_lab.machines import Engine, Machine, MachineError, ensure_image, first_boot
from hanger_lab.machines.provision import provide_engine
from hanger_lab.machines.recipes import RECIPES
from hanger_lab.progress import Progress
from hanger_lab.reach import reach
from hanger_lab.up import networks

FIRST_ADDRESS = 10
LABEL = "com.thehanger.machine"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `machine` with its own commands."""
    parser = commands.add_parser("machine", help="create, remove and list single machines")
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    create = actions.add_parser("create", help="create a machine and print how to reach it as JSON")
    create.add_argument("name", help="a short name, also the host name")
    create.add_argument("--image", default="debian-13", choices=sorted(RECIPES), help="default: %(default)s")
    create.add_argument("--authorized-key", type=Path, metavar="FILE", help="a public key that may log in as admin")
    create.add_argument("--user-data", type=Path, metavar="FILE", help="what cloud-init does at the first boot")
    create.add_argument("--loop-devices", action="store_true", help="let it use the host's, to try volumes")
    create.add_argument("--network", help="a network of the lab by its short name (default: the services network)")
    remove = actions.add_parser("remove", help="remove machines with their disks; absent ones are fine")
    remove.add_argument("names", nargs="+", metavar="NAME")
    actions.add_parser("list", help="print the machines of the lab as JSON")


def run(lab: Lab, arguments: argparse.Namespace, progress: Progress) -> int:
    """Run one of the commands of `machine`."""
    if arguments.action == "create":
        created = create(lab, arguments, progress)
        json.dump(created, sys.stdout)
        sys.stdout.write("\n")
    elif arguments.action == "remove":
        engine = Engine.connect(lab)
        for name in arguments.names:
            engine.remove(full_name(engine, name))
    else:
        json.dump(listing(Engine.connect(lab)), sys.stdout, indent=2)
        sys.stdout.write("\n")
    return 0


def create(lab: Lab, arguments: argparse.Namespace, progress: Progress) -> dict[str, str]:
    """Create a machine; one that exists with the same image is started if need be and left as it is."""
    key = arguments.authorized_key.read_text() if arguments.authorized_key else ""
    data = arguments.user_data.read_bytes() if arguments.user_data else b""
    files = first_boot(arguments.name, key, data)
    with progress.step("Docker engine"), exclusive(lab):
        engine = provide_engine(lab, progress.say)
        services, _ = networks(engine)
    with progress.step(f"machine image {arguments.image}"):
        tag = ensure_image(engine, arguments.image)
    name = full_name(engine, arguments.name)
    existing = next((machine for machine in engine.machines() if machine.name == name), None)
    if existing is None:
        network = full_name(engine, arguments.network or "services")
        labels = {LABEL: arguments.name}
        with exclusive(lab):
            address = free_address(engine, network)
            loop = arguments.loop_devices
            engine.launch(Machine(name, tag, network, address, arguments.name, (), files, labels, loop))
    elif existing.image != tag:
        raise MachineError(f"{arguments.name} exists, made from another image than {tag} is now: remove it first")
    elif existing.state != "running":
        engine.start(name)
    machine = next(machine for machine in engine.machines() if machine.name == name)
    return {
        "name": arguments.name,
        "container": name,
        "address": machine.address,
        "image": machine.image,
        "proxy_command": reach(lab, engine, services[1]).proxy_command,
    }


def free_address(engine: Engine, network: str) -> IPv4Address:
    """Return an address of a network that no machine has: its own for good, unlike one that the engine picks."""
    networks = engine.networks()
    if network not in networks:
        raise MachineError(f"no network {network}: `hanger-lab up` makes the lab's networks")
    used = {machine.address for machine in engine.machines()}
    hosts = islice(networks[network].hosts(), FIRST_ADDRESS - 1, None)
    for address in hosts:
        if str(address) not in used:
            return address
    raise MachineError(f"no address is free in {network} ({networks[network]})")


def listing(engine: Engine) -> list[dict[str, str]]:
    """Return what `machine list` prints."""
    return [
        {
            "name": machine.labels.get(LABEL, machine.name.removeprefix(engine.prefix)),
            "container": machine.name,
            "address": machine.address,
            "image": machine.image,
            "state": machine.state,
        }
        for machine in engine.machines()
    ]


def full_name(engine: Engine, name: str) -> str:
    """Return the name of an object in the engine."""
    return name if name.startswith(engine.prefix) else f"{engine.prefix}{name}"
