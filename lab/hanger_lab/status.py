"""`hanger-lab status`: what runs."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hanger_lab.config import Lab
from hanger_lab.ec2.faults import Faults
from hanger_lab.machines import Engine, EngineError, MachineStatus
from hanger_lab.services import services
from hanger_lab.up import read_facts


def status(lab: Lab, console: Console) -> bool:
    """Show the engine, the endpoints and the machines; tell whether the lab is up and everything answers."""
    table = Table(title=f"lab {lab.id} in {lab.directory}", title_justify="left")
    for heading in ("what", "where", "state"):
        table.add_column(heading, overflow="fold")
    facts = read_facts(lab)
    machines, running = _engine(lab, table)
    addresses = {"ec2": f"http://127.0.0.1:{lab.ec2_port}", "snowflake": f"http://127.0.0.1:{lab.snowflake_port}"}
    for service in services(lab):
        answers = bool(service.pids()) and service.healthy()
        running = running and answers
        table.add_row(f"{service.name} endpoint", addresses[service.name], "answers" if answers else "not running")
    for machine in machines:
        names = [machine.labels.get(label) for label in ("com.thehanger.machine", "com.thehanger.instance")]
        name = next((name for name in names if name), machine.name)
        table.add_row(f"{name} ({machine.image.removeprefix('hanger-lab/')})", machine.address, machine.state)
    for fault in Faults(lab.directory / "ec2").in_force():
        table.add_row("ordered failure", "", fault.describe())
    console.print(table)
    if facts is None or not running:
        console.print("The lab is not running. Start it with 'make up' or 'hanger-lab up'.", highlight=False)
    return facts is not None and running


def _engine(lab: Lab, table: Table) -> tuple[list[MachineStatus], bool]:
    try:
        engine = Engine.connect(lab)
        machines = engine.machines()
    except EngineError as error:
        table.add_row("Docker engine", "", str(error))
        return [], False
    table.add_row("Docker engine", engine.address, "answers")
    return machines, True
