"""Bring the API's instances and the machines together at start: a host may have been switched off in between."""

from __future__ import annotations

import logging
import re
from typing import Any

from hanger_lab.ec2 import addresses
from hanger_lab.ec2.fleet import ENDED, Fleet
from hanger_lab.machines import MachinesError

log = logging.getLogger(__name__)

_INSTANCE = re.compile(r"-(i-[0-9a-f]{8,17})$")


def reconcile(fleet: Fleet, backends: list[Any]) -> None:
    """Start, stop, forget or remove until every instance has the machine that its state promises; log each step."""
    states = {machine.name: machine.state for machine in fleet.engine.machines()}
    known = set()
    for backend in backends:
        for instance in backend.all_instances():
            if instance.state in ENDED:
                continue
            known.add(fleet.name(instance.id))
            _align(fleet, instance, states.get(fleet.name(instance.id)))
    for name in states:
        if _INSTANCE.search(name) and name not in known:
            log.warning("removing %s: no instance knows it", name)
            fleet.engine.remove(name)
    fleet.remember()
    for backend in backends:
        try:
            addresses.align(fleet, backend)
            fleet.apply_rules(backend)
        except (MachinesError, ValueError):
            log.exception("addresses and security groups could not be applied in %s", backend.region_name)


def _align(fleet: Fleet, instance: Any, machine_state: str | None) -> None:
    if machine_state is None:
        log.warning("%s has lost its machine: it is terminated", instance.id)
        instance.terminate()
    elif instance.state == "running" and machine_state != "running":
        log.warning("%s was %s outside the API: starting it", instance.id, machine_state)
        try:
            fleet.start(instance)
        except MachinesError:
            log.exception("%s does not start: it is stopped", instance.id)
            instance.stop()
    elif instance.state == "stopped" and machine_state == "running":
        log.warning("%s was started outside the API: it is running", instance.id)
        instance.start()
