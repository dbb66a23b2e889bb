"""`hanger-lab fault`: failures on order, for tests of what must survive them."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Callable
from typing import Any

from hanger_lab.config import Lab
from hanger_lab.ec2.faults import ALL, QUOTAS, USER_AGENT, Fault, Faults
from hanger_lab.machines import Engine, MachineError, outage
from hanger_lab.up import read_facts

SERVICES = ("ec2", "iam", "ssm", "sts")
DESCRIPTION = """Order failures of the running lab. They hold at once, and end when they are used up, with
`fault clear`, or with the lab. MACHINE is an instance id or the tag Name of an instance."""
EPILOG = """examples:
  hanger-lab fault throttle RunInstances --count 3   the next three launches: RequestLimitExceeded
  hanger-lab fault throttle all --percent 30         30 % of all calls, chosen at random
  hanger-lab fault capacity --zone eu-west-1a        InsufficientInstanceCapacity there, until cleared
  hanger-lab fault quota addresses --limit 1         a second Elastic IP: AddressLimitExceeded
  hanger-lab fault expired --count 1                 the next call: RequestExpired (IAM, STS: ExpiredToken)
  hanger-lab fault partition thehanger-el            no packet gets in or out, until healed
  hanger-lab fault clear                             everything works again (what was killed stays killed)
"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `fault` with its own commands."""
    parser = commands.add_parser(
        "fault",
        help="order failures: throttling, no capacity, quotas, expired credentials, broken machines",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="fault", required=True, metavar="COMMAND")
    throttle = kinds.add_parser("throttle", help="calls of an action are refused as too frequent")
    throttle.add_argument("action", help="such as RunInstances or ec2:RunInstances; all for every action")
    amount = throttle.add_mutually_exclusive_group()
    amount.add_argument("--count", type=_positive, metavar="N", help="the next N calls (default: 1)")
    amount.add_argument("--percent", type=_percent, metavar="P", help="P percent of the calls, until cleared")
    capacity = kinds.add_parser("capacity", help="launches fail with InsufficientInstanceCapacity")
    capacity.add_argument("--zone", default=ALL, metavar="ZONE", help="in this zone only (default: in all)")
    capacity.add_argument("--count", type=_positive, metavar="N", help="the next N launches (default: until cleared)")
    quota = kinds.add_parser("quota", help="the account may have less of something than usual")
    quota.add_argument(
        "name", choices=sorted(QUOTAS), help=", ".join(f"{name} (usually {limit})" for name, limit in QUOTAS.items())
    )
    quota.add_argument("--limit", type=int, default=0, metavar="N", help="how many in all (default: %(default)s)")
    expired = kinds.add_parser("expired", help="the credentials have expired")
    expired.add_argument("--count", type=_positive, metavar="N", help="for the next N calls (default: until cleared)")
    for name, text in _MACHINES.items():
        kinds.add_parser(name, help=text).add_argument("machine", metavar="MACHINE", help="instance id or tag Name")
    listing = kinds.add_parser("list", help="show what is in force")
    listing.add_argument("--json", action="store_true", help="as a list of objects")
    kinds.add_parser("clear", help="end every failure; frozen machines go on, partitions are healed")


_MACHINES = {
    "freeze": "a machine stops in the middle of what it does and keeps its connections",
    "thaw": "a frozen machine goes on",
    "partition": "a machine's network is cut, both ways",
    "heal": "a machine's network is whole again",
    "kill": "a machine loses power; its instance is stopped and can be started",
}


def run(lab: Lab, arguments: argparse.Namespace) -> int:
    """Run one of the commands of `fault`."""
    if read_facts(lab) is None:
        raise ValueError("no lab is up here: 'hanger-lab up' starts it")
    faults = Faults(lab.directory / "ec2")
    if arguments.fault in _MACHINES:
        _machine(lab, faults, arguments.fault, arguments.machine)
    elif arguments.fault == "list":
        _list(lab, faults, as_json=arguments.json)
    elif arguments.fault == "clear":
        clear(faults, Engine.connect(lab))
    else:
        fault = _ORDERS[arguments.fault](arguments)
        faults.order(fault)
        sys.stdout.write(f"{fault.describe()}\n")
    return 0


def clear(faults: Faults, engine: Engine) -> None:
    """End every failure; machines that were killed stay so until they are started."""
    for machine in engine.machines():
        if machine.state == "paused":
            outage.thaw(engine, machine.name)
    for fault in faults.in_force():
        if fault.kind == "partition":
            outage.heal(engine, f"{engine.prefix}{fault.target}")
    faults.clear()


def _machine(lab: Lab, faults: Faults, what: str, given: str) -> None:
    engine = Engine.connect(lab)
    instance = _instance(lab, given)
    name = f"{engine.prefix}{instance}"
    if not any(machine.name == name for machine in engine.machines()):
        raise MachineError(f"{given} has no machine: it is terminated")
    getattr(outage, what)(engine, name)
    if what == "partition":
        faults.order(Fault("partition", instance))
    elif what == "heal":
        faults.clear("partition", instance)
    sys.stdout.write(f"{what} {given} ({instance})\n")


def _instance(lab: Lab, given: str) -> str:
    """Return the id of an instance; ask the lab's EC2 for the one with a tag Name."""
    if given.startswith("i-"):
        return given
    found = [
        instance["InstanceId"]
        for page in _ec2(lab).describe_instances(Filters=[{"Name": "tag:Name", "Values": [given]}])["Reservations"]
        for instance in page["Instances"]
        if instance["State"]["Name"] != "terminated"
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} instances have the Name {given}{': name one by its id' if found else ''}")
    return str(found[0])


def _ec2(lab: Lab) -> Any:
    import boto3
    from botocore.config import Config

    facts = read_facts(lab) or {}
    return boto3.client(
        "ec2",
        endpoint_url=f"http://127.0.0.1:{lab.ec2_port}",
        region_name=facts["ec2"]["region"],
        aws_access_key_id=facts["ec2"]["access_key"],
        aws_secret_access_key=facts["ec2"]["secret_key"],
        config=Config(user_agent=USER_AGENT, proxies={}),
    )


def _list(lab: Lab, faults: Faults, *, as_json: bool) -> None:
    engine = Engine.connect(lab)
    frozen = [machine.name.removeprefix(engine.prefix) for machine in engine.machines() if machine.state == "paused"]
    in_force = [*faults.in_force(), *(Fault("freeze", name) for name in frozen)]
    if as_json:
        json.dump([{**vars(fault), "text": _text(fault)} for fault in in_force], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("".join(f"{_text(fault)}\n" for fault in in_force) or "no failure is in force\n")


def _text(fault: Fault) -> str:
    return f"freeze {fault.target}: until thawed" if fault.kind == "freeze" else fault.describe()


def _throttle(arguments: argparse.Namespace) -> Fault:
    count = None if arguments.percent is not None else arguments.count or 1
    return Fault("throttle", _action(arguments.action), count, arguments.percent)


_ORDERS: dict[str, Callable[[argparse.Namespace], Fault]] = {
    "throttle": _throttle,
    "capacity": lambda given: Fault("capacity", given.zone, given.count),
    "quota": lambda given: Fault("quota", given.name, limit=given.limit),
    "expired": lambda given: Fault("expired", ALL, given.count),
}


def _action(given: str) -> str:
    """Return the action without its service; raise ValueError for one that no service of the lab has."""
    name = given.rpartition(":")[2]
    if name == ALL:
        return name
    import botocore.session

    session = botocore.session.get_session()
    known = {name for service in SERVICES for name in session.get_service_model(service).operation_names}
    if name not in known:
        close = difflib.get_close_matches(name, sorted(known), 3)
        raise ValueError(f"no action is called {name}{': ' + ', '.join(close) + '?' if close else ''}")
    return name


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _percent(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage from 1 to 100")
    return int(text)
