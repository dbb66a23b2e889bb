"""`python -m hanger_lab.ec2 serve`."""

from __future__ import annotations

import argparse
import logging
import sys

from hanger_lab import machines
from hanger_lab.config import Lab
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.images import UnsupportedHostError, catalogue
from hanger_lab.ec2.server import PortTakenError, serve
from hanger_lab.ec2.state import StateError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 when the lab's EC2 cannot start, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m hanger_lab.ec2", description="The lab's EC2 endpoint.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve EC2, IAM, S3, STS and SSM on 127.0.0.1 until SIGTERM")
    serving.add_argument("--machines-address", metavar="ADDRESS", help="where machines reach S3, on the same port")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    lab = Lab.from_environment()
    try:
        engine = machines.Engine.connect(lab)
        fleet = Fleet(engine, lab.id, catalogue(), lambda name: machines.ensure_image(engine, name))
        conflicts = lambda network: machines.range_conflicts(network, engine.networks())  # noqa: E731
        serve(lab, fleet, conflicts, options.machines_address)
    except (machines.MachinesError, PortTakenError, StateError, UnsupportedHostError) as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
