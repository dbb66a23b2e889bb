"""The command `hanger-lab`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable

from rich.console import Console

from hanger_lab import connect, fault_commands, machine_commands, snowflake_command
from hanger_lab.config import Lab
from hanger_lab.down import down
from hanger_lab.logs import available, show
from hanger_lab.machines import MachinesError
from hanger_lab.ports import PortTakenError
from hanger_lab.processes import ServiceError
from hanger_lab.progress import Progress
from hanger_lab.status import status
from hanger_lab.up import up

DESCRIPTION = """Stand-ins for EC2, Snowflake and Airbyte on this host, for real clients to talk to."""
EPILOG = """environment:
  HANGER_LAB_DIR             where the lab lives (default: .lab)
  HANGER_LAB_CACHE           where its images are cached (default: cache in the lab's directory)
  HANGER_LAB_EC2_PORT        port of the EC2 endpoint (default: 5566)
  HANGER_LAB_SNOWFLAKE_PORT  port of the Snowflake endpoint (default: 8084)
  HANGER_LAB_SSH             auto, direct or proxy: how SSH reaches machines; auto asks whether their addresses are here
  DOCKER_HOST                the unix socket of the Docker engine to use, the same one until `down`
"""
ERRORS = (MachinesError, PortTakenError, ServiceError, connect.RouteError, ValueError, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 with the reason on standard error when it cannot be done."""
    options = parser().parse_args(arguments)
    console = Console(stderr=True)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        lab = Lab.from_environment()
        return _COMMANDS[options.command](lab, options, console)
    except ERRORS as error:
        console.print(f"hanger-lab: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted: the next 'hanger-lab up' or 'down' carries on from here", highlight=False)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="hanger-lab",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="start the lab; what is done already is not repeated")
    commands.add_parser("status", help="show what runs; exit status 1 unless everything does")
    ending = commands.add_parser("down", help="remove everything but the cache, secrets, SSH keys and logs")
    ending.add_argument("--images", action="store_true", help="also remove the lab's images from the engine")
    ending.add_argument("--purge", action="store_true", help="also remove images, cache, secrets, SSH keys and logs")
    ending.add_argument(
        "--without-engine", action="store_true", help="go on when the engine that had the machines does not answer"
    )
    logs = commands.add_parser("logs", help="show the logs of the endpoints")
    logs.add_argument("service", nargs="?", help="ec2, snowflake or engine (default: all)")
    logs.add_argument("-f", "--follow", action="store_true", help="wait for more until interrupted")
    logs.add_argument("-n", "--lines", type=int, default=50, help="how many lines of each (default: %(default)s)")
    machine_commands.add_commands(commands)
    fault_commands.add_commands(commands)
    snowflake_command.add_commands(commands)
    entering = commands.add_parser("connect", help="join standard input and output with a port of a machine")
    entering.add_argument("host", help="an address of the machine")
    entering.add_argument("port", type=int)
    return top


def _up(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    facts = up(lab, Progress(console))
    console.print(
        f"lab {lab.id} is up: EC2 at {facts['ec2']['endpoint_url']}, Snowflake at "
        f"http://127.0.0.1:{lab.snowflake_port}",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def _status(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    return 0 if status(lab, Console()) else 1


def _down(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    progress = Progress(console)
    down(lab, progress, images=options.images, purge=options.purge, without_engine=options.without_engine)
    return 0


def _logs(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    names = available(lab)
    if options.service and options.service not in names:
        raise ValueError(f"no log of {options.service!r}: there are {', '.join(names) or 'none'}")
    show(lab, [options.service] if options.service else names, options.lines, options.follow, sys.stdout)
    return 0


def _machine(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    return machine_commands.run(lab, options, Progress(console))


def _fault(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    return fault_commands.run(lab, options)


def _snowflake(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    return snowflake_command.run(options)


def _connect(lab: Lab, options: argparse.Namespace, console: Console) -> int:
    connect.connect(lab, options.host, options.port)
    return 0


_COMMANDS: dict[str, Callable[[Lab, argparse.Namespace, Console], int]] = {
    "up": _up,
    "status": _status,
    "down": _down,
    "logs": _logs,
    "machine": _machine,
    "fault": _fault,
    "snowflake": _snowflake,
    "connect": _connect,
}

if __name__ == "__main__":
    sys.exit(main())
