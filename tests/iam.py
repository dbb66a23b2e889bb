"""What an IAM policy allows: the part of IAM's evaluation that docs/aws-policy.json uses, and the grammar it must keep.

Which resources and condition keys an action has comes from AWS's service authorization reference, as the package
policy_sentry keeps it. Explicit denials, permissions boundaries and service control policies are not evaluated.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

MANAGED_POLICY_CHARACTERS = 6144
GLOBAL_KEYS = ("aws:RequestedRegion", "aws:PrincipalArn")
OPERATORS = ("StringEquals", "StringLike", "Null", "Bool", "ForAllValues:StringEquals")
IF_EXISTS = "IfExists"


@dataclass(frozen=True)
class Access:
    """One action on one resource; `kind` is the resource's type in AWS's reference, "" for none."""

    action: str
    kind: str = ""
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} with {json.dumps(dict(self.context), sort_keys=True)}"


@cache
def reference(action: str) -> dict[str, Any]:
    """Return AWS's description of an action such as `ec2:RunInstances`; raise KeyError when there is none."""
    service, _, name = action.partition(":")
    return get_service_prefix_data(service)["privileges"][name]


def kinds(action: str) -> dict[str, dict[str, Any]]:
    """Return the resource types of an action by name; empty for one that knows no resources."""
    return {name: kind for name, kind in reference(action)["resource_types"].items() if name}


def pattern(service: str, kind: str) -> str:
    """Return the ARN of a resource type with every variable as `*`, as in `arn:*:ec2:*:*:vpc/*`."""
    arn = get_service_prefix_data(service)["resources"][kind]["arn"]
    parts = arn.split("${")
    return parts[0] + "".join("*" + part.partition("}")[2] for part in parts[1:])


def statements(policy: Mapping[str, Any]) -> Iterator[tuple[str, list[str], list[str], dict[str, dict[str, Any]]]]:
    """Yield sid, actions, resources and conditions of each statement."""
    for statement in policy["Statement"]:
        yield (
            statement["Sid"],
            _list(statement["Action"]),
            _list(statement["Resource"]),
            statement.get("Condition", {}),
        )


def allows(policy: Mapping[str, Any], access: Access) -> bool:
    """Tell whether some statement allows an access."""
    return any(
        access.action in actions
        and any(fnmatch.fnmatchcase(access.resource, resource) for resource in resources)
        and all(
            _holds(test, key, values, access.context) for test, keys in tests.items() for key, values in keys.items()
        )
        for _, actions, resources, tests in statements(policy)
    )


def problems(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWS would refuse, or accept and never match."""
    size = len("".join(json.dumps(policy, separators=(",", ":"))))
    if size > MANAGED_POLICY_CHARACTERS:
        yield f"{size} characters: a managed policy has at most {MANAGED_POLICY_CHARACTERS}"
    if policy.get("Version") != "2012-10-17":
        yield "Version must be 2012-10-17"
    sids = [sid for sid, *_ in statements(policy)]
    yield from (
        f"{sid}: a Sid is letters and digits, and unique" for sid in sids if sids.count(sid) > 1 or not sid.isalnum()
    )
    for sid, actions, resources, tests in statements(policy):
        yield from (
            f"{sid}: unknown operator {name}" for name in tests if name.removesuffix(IF_EXISTS) not in OPERATORS
        )
        for action in actions:
            yield from (f"{sid}: {problem}" for problem in _action_problems(action, resources, tests))
        for resource in resources:
            if resource != "*" and not any(_fits(action, resource) for action in actions):
                yield f"{sid}: none of the actions knows {resource}"


def uncovered(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield the resources that allowed actions need and no statement covers: those actions are never allowed."""
    covered = {
        (action, kind)
        for _, actions, resources, _ in statements(policy)
        for action in actions
        for kind in kinds(action)
        if any(_of_kind(resource, action, kind) for resource in resources)
    }
    for action in sorted({action for _, actions, *_ in statements(policy) for action in actions}):
        for name, kind in kinds(action).items():
            if kind["required"] and (action, name) not in covered:
                yield f"{action} needs a {name}"


def _action_problems(action: str, resources: list[str], tests: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if "*" in action:
        yield f"{action}: name each action"
        return
    try:
        known = kinds(action)
    except KeyError:
        yield f"{action}: there is no such action"
        return
    if not known and resources != ["*"]:
        yield f"{action} knows no resources: it needs Resource *"
    required = [name for name, kind in known.items() if kind["required"]]
    if required and resources == ["*"]:
        yield f"{action} has resources ({', '.join(required)}): name them"
    keys = {key for name, pairs in tests.items() if not name.endswith(IF_EXISTS) and name != "Null" for key in pairs}
    for name, kind in known.items():
        named = [resource for resource in resources if kind["required"] or not resource.endswith(":*/*")]
        if resources != ["*"] and any(_of_kind(resource, action, name) for resource in named):
            usable = {_template(key) for key in kind["condition_keys"]} | _action_keys(action)
            yield from (
                f"{action} on {name} has no {key}: the statement never matches"
                for key in sorted(keys)
                if _template(key) not in usable and key not in GLOBAL_KEYS
            )


def _action_keys(action: str) -> set[str]:
    """Return the condition keys that an action has on every resource."""
    general = reference(action)["resource_types"].get("", {})
    return {_template(key) for key in general.get("condition_keys", ())}


def _fits(action: str, resource: str) -> bool:
    try:
        return any(_of_kind(resource, action, kind) for kind in kinds(action))
    except KeyError:
        return False


def _of_kind(resource: str, action: str, kind: str) -> bool:
    """Tell whether a statement's resource can mean resources of a type; `*` in either stands for anything."""
    if resource == "*":
        return True
    service = action.partition(":")[0]
    given, wanted = resource.split(":", 5), pattern(service, kind).split(":", 5)
    if wanted[5].startswith("*"):
        return given[2] == wanted[2] and given[5].count("/") == wanted[5].count("/")
    end = "/" if "/" in wanted[5] else ":"
    return given[2] == wanted[2] and given[5].partition(end)[0] in ("*", wanted[5].partition(end)[0])


def _template(key: str) -> str:
    prefix, slash, _ = key.partition("/")
    return prefix + slash


def _holds(test: str, key: str, values: Any, context: Mapping[str, str]) -> bool:
    operator, present = test.removesuffix(IF_EXISTS), key in context
    if operator == "Null":
        return present == (str(values).lower() == "false")
    if not present:
        return test.endswith(IF_EXISTS) or operator.startswith("ForAllValues")
    wanted = [str(value).lower() if operator == "Bool" else value for value in _list(values)]
    if operator == "StringLike":
        return any(fnmatch.fnmatchcase(context[key], value) for value in wanted)
    return all(value in wanted for value in context[key].split(","))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
