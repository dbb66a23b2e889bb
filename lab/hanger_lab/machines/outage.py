"""What breaks a machine from outside: its processor, its network, its power."""

from __future__ import annotations

from docker.errors import APIError, DockerException

from hanger_lab.machines.engine import Engine
from hanger_lab.machines.errors import MachineError

TABLE = "hanger_partition"
# Before connection tracking: established connections are cut as well.
CUT = f"""table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
  chain in {{ type filter hook prerouting priority -400; policy accept; iifname "eth*" drop; }}
  chain out {{ type filter hook postrouting priority 400; policy accept; oifname "eth*" drop; }}
}}
"""
HEALED = f"table inet {TABLE}\ndelete table inet {TABLE}\n"


def freeze(engine: Engine, name: str) -> None:
    """Stop every process of a machine where it is; one that is frozen is fine."""
    if _state(engine, name) != "paused":
        _do(engine, "pause", name)


def thaw(engine: Engine, name: str) -> None:
    """Let a frozen machine go on; another one is fine."""
    if _state(engine, name) == "paused":
        _do(engine, "unpause", name)


def kill(engine: Engine, name: str) -> None:
    """Take a machine's power away; one that is down is fine."""
    thaw(engine, name)
    if _state(engine, name) == "running":
        _do(engine, "kill", name)


def partition(engine: Engine, name: str) -> None:
    """Let no packet into a running machine and none out; one that is down is fine, a frozen one is not."""
    _refuse_frozen(engine, name)
    if _state(engine, name) == "running":
        engine.run(name, ["nft", "-f", "-"], CUT.encode())


def heal(engine: Engine, name: str) -> None:
    """End a partition; a machine without one is fine, a frozen one is not."""
    _refuse_frozen(engine, name)
    if _state(engine, name) == "running":
        engine.run(name, ["nft", "-f", "-"], HEALED.encode())


def _refuse_frozen(engine: Engine, name: str) -> None:
    if _state(engine, name) == "paused":
        raise MachineError(f"{name} is frozen: thaw it first")


def _state(engine: Engine, name: str) -> str:
    return next((machine.state for machine in engine.machines() if machine.name == name), "")


def _do(engine: Engine, what: str, name: str) -> None:
    try:
        getattr(engine.client.api, what)(name)
    except (APIError, DockerException) as error:
        raise MachineError(f"cannot {what} {name}: {error}") from error
