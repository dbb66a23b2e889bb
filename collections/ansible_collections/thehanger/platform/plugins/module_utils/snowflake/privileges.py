# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which privilege a step lacked that was refused: Snowflake's answer names the object alone."""

from __future__ import annotations

from .grants import container
from .identifiers import parse, show
from .steps import Step

# Nothing but the role itself can do it.
_ADMINISTRATORS = {"resource monitor": "ACCOUNTADMIN"}
_ACCOUNT_PARAMETERS = "account"


def needed(step: Step) -> str:
    """Say which privilege on which object lets a role carry a step out, nothing where that is not known."""
    if step.kind == _ACCOUNT_PARAMETERS:
        return "the role ACCOUNTADMIN"
    if step.action == "create":
        return _to_create(step.kind, step.name)
    if step.action in ("grant", "revoke"):
        return _to_grant(step)
    if step.kind == "role membership":
        return ""
    owned = f"OWNERSHIP of {step.kind} {step.name}"
    if step.kind == "warehouse" and step.action in ("suspend", "resume"):
        return f"OPERATE on {step.kind} {step.name}"
    if step.kind in ("warehouse", "resource monitor", "database", "schema") and step.action == "alter":
        return f"MODIFY on {step.kind} {step.name}, or {owned}"
    return owned


def _to_create(kind: str, name: str) -> str:
    if kind in _ADMINISTRATORS:
        return f"the role {_ADMINISTRATORS[kind]}"
    try:
        place = parse(name)[:-1]
    except ValueError:
        return ""
    where = container(place) if place else "the account"
    return f"CREATE {kind.upper()} on {where}" + (f", and USAGE on database {show(place[:1])}" if place else "")


def _to_grant(step: Step) -> str:
    if step.kind == "role membership":
        return f"OWNERSHIP of role {step.name.split(' to ')[0]}, or MANAGE GRANTS on the account"
    return (
        "OWNERSHIP of the object, the privilege itself with grant option, or MANAGE GRANTS on the account, which "
        "future grants need"
    )
