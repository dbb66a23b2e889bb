"""Machines: systemd containers on a Docker engine. The only code that talks to Docker."""

from hanger_lab.machines.engine import Engine
from hanger_lab.machines.errors import EngineError, ImageError, MachineError, MachinesError, RangeError
from hanger_lab.machines.images import ensure_image
from hanger_lab.machines.model import SEED, Machine, MachineStatus, SeedFile, first_boot
from hanger_lab.machines.ranges import free_range, range_conflicts

__all__ = [
    "SEED",
    "Engine",
    "EngineError",
    "ImageError",
    "Machine",
    "MachineError",
    "MachineStatus",
    "MachinesError",
    "RangeError",
    "SeedFile",
    "ensure_image",
    "first_boot",
    "free_range",
    "range_conflicts",
]
