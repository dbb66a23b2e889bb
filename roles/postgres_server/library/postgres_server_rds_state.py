#!/usr/bin/python
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells in one call what the role postgres_server has to know of an instance of RDS."""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

DOCUMENTATION = r"""
module: postgres_server_rds_state
short_description: Tell what the role postgres_server has to know of an instance of RDS
description: Reads the instance, its parameters, and the subnets and security groups that filters find. Changes nothing.
author: [The Hanger]
options:
  identifier:
    description: Identifier of the instance.
    type: str
    required: true
  parameter_group:
    description: Name of the parameter group. When there is none, the family's parameters are read.
    type: str
    required: true
  family:
    description: Family of the parameter group.
    type: str
    required: true
  subnet_group:
    description: Name of the subnet group.
    type: str
    required: true
  subnet_filters:
    description: EC2's filters of the subnets.
    type: dict
    default: {}
  security_group_filters:
    description: EC2's filters of the security groups.
    type: dict
    default: {}
"""
EXAMPLES = r"""
- name: See what is there
  postgres_server_rds_state:
    identifier: gym
    parameter_group: gym-postgres17
    family: postgres17
    subnet_group: gym
    subnet_filters: {"tag:Project": gym}
"""
RETURN = r"""
state:
  description: What was found; C(instance), C(parameter_group) and C(subnet_group) are empty for what is not there.
  returned: success
  type: dict
"""

Client = Any


def missing(error: Any) -> bool:
    """Tell whether RDS says that something is not there."""
    return "NotFound" in error.response["Error"]["Code"]


def found(client: Client, call: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    """Return all that a call lists, nothing when RDS knows no such thing."""
    try:
        entries: list[dict[str, Any]] = client.get_paginator(call).paginate(**arguments).build_full_result()[key]
    except client.exceptions.ClientError as error:
        if missing(error):
            return []
        raise
    return entries


def instance(client: Client, identifier: str) -> dict[str, Any]:
    """Return what counts of an instance."""
    for each in found(client, "describe_db_instances", "DBInstances", DBInstanceIdentifier=identifier):
        endpoint = each.get("Endpoint") or {}
        return {
            "status": each["DBInstanceStatus"],
            "version": each["EngineVersion"],
            "address": endpoint.get("Address", ""),
            "port": endpoint.get("Port", 0),
            "user": each["MasterUsername"],
            "storage": each.get("AllocatedStorage", 0),
            "encrypted": each.get("StorageEncrypted", False),
            "protected": each.get("DeletionProtection", False),
            "tags": {tag["Key"]: tag["Value"] for tag in each.get("TagList", [])},
            "parameters": {
                group["DBParameterGroupName"]: group["ParameterApplyStatus"] for group in each["DBParameterGroups"]
            },
        }
    return {}


def parameters(client: Client, group: str, family: str) -> tuple[bool, dict[str, dict[str, Any]]]:
    """Return whether there is the group, and its parameters or else the family's."""
    own = found(client, "describe_db_parameters", "Parameters", DBParameterGroupName=group)
    pages = client.get_paginator("describe_engine_default_parameters")
    entries = own or [
        each for page in pages.paginate(DBParameterGroupFamily=family) for each in page["EngineDefaults"]["Parameters"]
    ]
    return bool(own), {
        each["ParameterName"]: {
            "value": each.get("ParameterValue"),
            "source": each.get("Source", ""),
            "apply_type": each.get("ApplyType", ""),
            "data_type": each.get("DataType", ""),
            "allowed": each.get("AllowedValues", ""),
            "modifiable": each.get("IsModifiable", False),
        }
        for each in entries
    }


def subnet_group(client: Client, name: str) -> dict[str, Any]:
    """Return the subnets of a subnet group."""
    for each in found(client, "describe_db_subnet_groups", "DBSubnetGroups", DBSubnetGroupName=name):
        return {"subnets": sorted(subnet["SubnetIdentifier"] for subnet in each["Subnets"])}
    return {}


def network(client: Client, subnets: dict[str, Any], groups: dict[str, Any]) -> dict[str, Any]:
    """Return the subnets and security groups that filters find."""
    listed = found(client, "describe_subnets", "Subnets", Filters=filters(subnets)) if subnets else []
    admitted = found(client, "describe_security_groups", "SecurityGroups", Filters=filters(groups)) if groups else []
    return {
        "subnets": sorted(each["SubnetId"] for each in listed),
        "zones": sorted({each["AvailabilityZone"] for each in listed}),
        "security_groups": sorted(each["GroupId"] for each in admitted),
    }


def filters(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return filters as the API takes them."""
    values = {name: value if isinstance(value, list) else [value] for name, value in wanted.items()}
    return [{"Name": name, "Values": [str(each) for each in value]} for name, value in values.items()]


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "identifier": {"type": "str", "required": True},
            "parameter_group": {"type": "str", "required": True},
            "family": {"type": "str", "required": True},
            "subnet_group": {"type": "str", "required": True},
            "subnet_filters": {"type": "dict", "default": {}},
            "security_group_filters": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    given, rds = module.params, module.client("rds")
    try:
        grouped, known = parameters(rds, given["parameter_group"], given["family"])
        state = {
            "instance": instance(rds, given["identifier"]),
            "parameter_group": grouped,
            "parameters": known,
            "subnet_group": subnet_group(rds, given["subnet_group"]),
            "network": network(module.client("ec2"), given["subnet_filters"], given["security_group_filters"]),
        }
    except Exception as error:
        module.fail_json_aws(error, msg=f"RDS cannot be asked for {given['identifier']}")
    module.exit_json(changed=False, state=state)


if __name__ == "__main__":
    main()
