# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describes a project, and runs the EC2 modules in this process against moto's account."""

from __future__ import annotations

import copy
import importlib
import json
from functools import cache

import boto3
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.thehanger.platform.plugins.module_utils.ec2 import run as patience
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.client import Aws
from botocore.client import BaseClient

REGION = "eu-west-1"
IMAGE = "ami-03cf127a"
READING = ("Describe", "Get", "List")
DESCRIPTION = {
    "variable_prefix": "ec2_launch_",
    "tags": {"Owner": "gym", "ManagedBy": "ansible"},
    "ttl": "",
    "vpc_id": "",
    "vpc_cidr": "10.77.0.0/16",
    "subnets": [
        {"name": "a", "availability_zone": "eu-west-1a"},
        {"name": "b", "availability_zone": "eu-west-1b"},
    ],
    "admin_cidrs": ["203.0.113.7/32"],
    "security_groups": [
        {
            "name": "admin",
            "description": "SSH",
            "rules": [{"proto": "tcp", "ports": ["22"], "admins": True, "description": "SSH"}],
        },
        {"name": "oltp", "description": "PostgreSQL", "rules": [{"ports": ["5432"], "group": "el"}]},
        {"name": "el", "description": "Airbyte", "rules": [{"ports": ["8000-8001"], "group": "oltp"}]},
    ],
    "access": "ssh",
    "key_name": "gym",
    "images": {"guide": {"id": IMAGE, "login": "admin"}},
    "image": "guide",
    "type_list": "small",
    "instance_types": {"small": {"oltp": "t3.small", "el": "t3.medium"}},
    "instances": [
        {
            "name": "oltp",
            "hanger_roles": ["oltp"],
            "security_groups": ["admin", "oltp"],
            "root_volume": {"size": 20},
            "volumes": [{"device": "/dev/sdf", "size": 5}],
            "elastic_ip": True,
            "termination_protection": True,
        },
        {
            "name": "el",
            "hanger_roles": ["el", "tools"],
            "security_groups": ["admin", "el"],
            "root_volume": {"size": 40},
            "metadata_hop_limit": 3,
            "user_data": "#!/bin/sh\ntrue\n",
        },
    ],
    "profile_policy": [{"Effect": "Allow", "Action": ["ssm:UpdateInstanceInformation"], "Resource": "*"}],
}


class Killed(BaseException):
    """The end of a run in the middle of it."""


class Calls:
    """Every call that boto3 sends; can end the run, or answer in AWS's place."""

    def __init__(self, monkeypatch):
        self.names = []
        self.requests = []
        self.last = None
        self.answers = {}
        original = BaseClient._make_api_call

        def call(client, operation, parameters):
            ending = self.last is not None and len(self.writes) >= self.last
            if ending and not operation.startswith(READING):
                raise Killed
            self.names.append(operation)
            self.requests.append((operation, copy.deepcopy(parameters)))
            if operation in self.answers and (answer := self.answers[operation](parameters)):
                if isinstance(answer, Exception):
                    raise answer
                return answer
            answer = original(client, operation, parameters)
            if operation == "RunInstances":
                _complete(client, original, parameters, answer["Instances"][0]["InstanceId"])
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    @property
    def writes(self):
        return [name for name in self.names if not name.startswith(READING)]

    def of(self, operation):
        return [parameters for name, parameters in self.requests if name == operation]


def _complete(client, original, parameters, instance_id):
    """Do what moto leaves out of a launch: the groups of its interface, and the protection."""
    groups = parameters["NetworkInterfaces"][0]["Groups"]
    original(client, "ModifyInstanceAttribute", {"InstanceId": instance_id, "Groups": groups})
    if parameters.get("DisableApiTermination"):
        protect = {"InstanceId": instance_id, "DisableApiTermination": {"Value": True}}
        original(client, "ModifyInstanceAttribute", protect)


class Failed(Exception):
    """A module that failed; its message is the text."""

    def __init__(self, result):
        super().__init__(result["msg"])
        self.result = result


class Runner:
    """Runs the modules one after the other, as the role does."""

    def __init__(self, directory, capsys):
        self.key = directory / "key"
        self._capsys = capsys

    def module(self, name, check_mode=False, **options):
        module = importlib.import_module(f"ansible_collections.thehanger.platform.plugins.modules.{name}")
        given = {"project": "gym", "region": REGION, "_ansible_check_mode": check_mode, **options}
        self._capsys.readouterr()
        with patch_module_args(given), pytest.raises(SystemExit):
            module.main()
        result = json.loads(self._capsys.readouterr().out)
        if result.get("failed"):
            raise Failed(result)
        return result

    def plan(self, **options):
        description = {**copy.deepcopy(DESCRIPTION), "private_key_path": str(self.key), **options}
        return self.module("ec2_plan", **description)

    def apply(self, plan, check_mode=False):
        return self.module("ec2_apply", check_mode, plan=plan["plan"], public_key_path=f"{self.key}.pub")

    def converge(self, **options):
        plan = self.plan(**options)
        self.apply(plan)
        return plan


def impatient(monkeypatch):
    """Let nobody wait in tests: neither for AWS nor for boto3, which reads its descriptions anew for each client."""
    monkeypatch.setattr(patience.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(Aws, "client", lambda aws, service, attempts=10: _client(service))


@cache
def _client(service):
    return boto3.client(service, region_name=REGION)
