"""What instances really are: the books follow machines that were killed, switched off, started or removed outside."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, StateReason

from hanger_lab.ec2.faults import Faults
from hanger_lab.ec2.fleet import ENDED, Fleet
from hanger_lab.ec2.patches import Patches
from hanger_lab.machines import MachinesError, MachineStatus

log = logging.getLogger(__name__)

LISTING_SECONDS = 0.25
UP, DOWN = ("running", "paused", "restarting"), ("exited", "dead", "created")
LOST = ("Server.InternalError", "Server.InternalError: Internal error: the machine lost its power")
GONE = ("Server.InternalError", "Server.InternalError: Internal error: the machine is gone")
SWITCHED_OFF = ("Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown: Instance initiated shutdown")
ORDERLY = 0  # the exit code of a machine that shut itself down
# What shows or uses the state of machines.
_CONCERNED = ("Instance", "Address", "Volume", "NetworkInterface")


def concerns_machines(action: str) -> bool:
    """Tell whether the answer to an action of EC2 depends on what machines do."""
    return any(word in action for word in _CONCERNED) and not action.startswith("DescribeInstanceType")


class Truth:
    """Compares the books with one listing of the engine, which counts for a fraction of a second."""

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        self._fleet = fleet
        self._faults = faults
        self._listed: tuple[float, int, Mapping[str, MachineStatus]] | None = None
        self._impaired: set[str] = set()

    def install(self, patches: Patches) -> None:
        """Let DescribeInstanceStatus tell frozen and partitioned machines until `patches` is left."""
        patches.assign(Instance, "instance_status", property(self._status))

    def observe(self) -> bool:
        """Bring the books in line with the machines; tell whether they changed. No other call may be under way."""
        try:
            machines = self._machines()
        except MachinesError as error:
            log.warning("the machines cannot be listed: %s", error)
            return False
        backends: list[Any] = [backend for _, _, backend in ec2_backends.iter_backends()]
        instances = [instance for backend in backends for instance in backend.all_instances()]
        living = [instance for instance in instances if instance.state not in ENDED]
        self._impaired = {
            instance.id
            for instance in living
            if getattr(machines.get(self._fleet.name(instance.id)), "state", "") == "paused"
        }
        followed = [self._follow(instance, machines.get(self._fleet.name(instance.id))) for instance in living]
        return any(followed)

    def _machines(self) -> Mapping[str, MachineStatus]:
        now, changes = time.monotonic(), self._fleet.changes
        if self._listed is None or now - self._listed[0] > LISTING_SECONDS or self._listed[1] != changes:
            machines = {machine.name: machine for machine in self._fleet.engine.machines()}
            self._listed = (now, changes, machines)
        return self._listed[2]

    def _follow(self, instance: Any, machine: MachineStatus | None) -> bool:
        try:
            if machine is None:
                _end(instance, GONE)
            elif instance.state == "running" and machine.state in DOWN:
                switched_off = machine.exit_code == ORDERLY
                if switched_off and instance.instance_initiated_shutdown_behavior == "terminate":
                    _end(instance, SWITCHED_OFF)
                else:
                    instance.stop()
                    _explain(instance, SWITCHED_OFF if switched_off else LOST)
            elif instance.state == "stopped" and machine.state in UP:
                instance.start()
            else:
                return False
        except EC2ClientError as error:
            log.warning("the books cannot follow %s: %s", instance.id, error)
            return False
        log.warning("%s is %s: %s", instance.id, instance.state, instance.state_reason.message or "started outside")
        return True

    def _status(self, instance: Any) -> dict[str, Any]:
        if instance.state_code != 16:
            return {"Status": "not-applicable"}
        impaired = instance.id in self._impaired or self._faults.partitioned(instance.id)
        word, detail = ("impaired", "failed") if impaired else ("ok", "passed")
        return {"Details": [{"Name": "reachability", "Status": detail}], "Status": word}


def _end(instance: Any, reason: tuple[str, str]) -> None:
    instance.terminate()
    _explain(instance, reason)


def _explain(instance: Any, reason: tuple[str, str]) -> None:
    code, message = reason
    instance.state_reason = StateReason(message, code)
    instance._reason = f"{code} ({utcnow().strftime('%Y-%m-%d %H:%M:%S UTC')})"
