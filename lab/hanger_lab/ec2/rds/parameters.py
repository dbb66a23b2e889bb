"""Parameters of RDS for PostgreSQL: those of a family, those of a group, and what values they take."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBParameterGroupNotFoundError, InvalidParameterCombination, InvalidParameterValue
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend
from moto.rds.responses import RDSResponse

from hanger_lab.ec2.patches import Method, Patches

FAMILY = re.compile(r"postgres\d+")
RANGE = re.compile(r"(-?[\d.e+]+)-(-?[\d.e+]+)")
REBOOT = "pending-reboot"
Parameter = dict[str, Any]


def install(patches: Patches) -> None:
    """Let moto's parameter groups behave until `patches` is left."""
    patches.add(RDSResponse, "describe_engine_default_parameters", _defaults)
    patches.assign(RDSResponse, "describe_db_parameters", _describe)
    patches.wrap(RDSBackend, "describe_db_parameter_groups", _groups)
    patches.wrap(RDSBackend, "modify_db_parameter_group", _modify)
    patches.wrap(RDSBackend, "reboot_db_instance", _reboot)
    patches.assign(DBInstance, "db_parameter_group_status_list", property(_statuses))


@cache
def family() -> dict[str, Parameter]:
    """Return the parameters of PostgreSQL's families by name, as DescribeEngineDefaultParameters has them."""
    with Path(__file__).with_name("files").joinpath("postgres.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        row["ParameterName"]: {
            **{name: value for name, value in row.items() if value},
            "IsModifiable": row["IsModifiable"] == "yes",
            "Source": "system" if row["IsModifiable"] == "no" else "engine-default",
        }
        for row in rows
    }


def check(parameter: Parameter) -> None:
    """Raise RDS's error when a group does not take a parameter."""
    name, value = parameter["ParameterName"], parameter.get("ParameterValue", "")
    known = family().get(name)
    if known is None:
        raise InvalidParameterValue(f"Could not find parameter with name: {name}")
    if not known["IsModifiable"]:
        raise InvalidParameterValue(f"The parameter {name} cannot be modified.")
    if known["ApplyType"] == "static" and parameter.get("ApplyMethod") != REBOOT:
        raise InvalidParameterCombination("cannot use immediate apply method for static parameter")
    if not _takes(known, value):
        raise InvalidParameterValue(
            f"Invalid parameter value: {value} for: {name} allowed values are: {known['AllowedValues']}"
        )


def _takes(known: Parameter, value: str) -> bool:
    allowed = known.get("AllowedValues")
    if not allowed or "{" in value:
        return True
    if known["DataType"] in ("integer", "float"):
        first, last = map(float, RANGE.fullmatch(allowed).groups())  # type: ignore[union-attr]
        return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None and first <= float(value) <= last
    return set(value.split(",") if known["DataType"] == "list" else [value]) <= set(allowed.split(","))


def _defaults(response: Any) -> ActionResult:
    name = response.params.get("DBParameterGroupFamily")
    if not FAMILY.fullmatch(name):
        raise InvalidParameterValue(f"Invalid DB parameter group family {name}: the lab has PostgreSQL's")
    return ActionResult({"EngineDefaults": {"DBParameterGroupFamily": name, "Parameters": list(family().values())}})


def _groups(original: Method, backend: Any, db_kwargs: Any) -> list[DBParameterGroup]:
    name = db_kwargs.get("db_parameter_group_name")
    found: list[DBParameterGroup] = original(backend, db_kwargs)
    if name and not found:
        raise DBParameterGroupNotFoundError(name)
    return found


def _describe(response: Any) -> ActionResult:
    name = response.params.get("DBParameterGroupName")
    group = response.backend.describe_db_parameter_groups({"db_parameter_group_name": name})[0]
    own = {name: {**given, "Source": "user"} for name, given in group.parameters.items()}
    wanted = response.params.get("Source")
    found = [{**known, **own.get(name, {})} for name, known in family().items()]
    return ActionResult({"Parameters": [each for each in found if wanted in (None, each["Source"])]})


def _modify(original: Method, backend: Any, name: str, parameters: list[Parameter]) -> DBParameterGroup:
    for parameter in parameters:
        check(parameter)
    group: DBParameterGroup = original(backend, name, parameters)
    if any(family()[parameter["ParameterName"]]["ApplyType"] == "static" for parameter in parameters):
        for instance in backend.databases.values():
            if instance.db_parameter_group_name == group.name:
                instance.hanger_waits_for_reboot = True
    return group


def _reboot(original: Method, backend: Any, db_instance_identifier: str) -> Any:
    instance = original(backend, db_instance_identifier)
    instance.hanger_waits_for_reboot = False
    return instance


def _statuses(instance: Any) -> list[Any]:
    groups: list[Any] = instance.db_parameter_groups()
    status = REBOOT if getattr(instance, "hanger_waits_for_reboot", False) else "in-sync"
    return [{"DBParameterGroupName": group.name, "ParameterApplyStatus": status} for group in groups]
