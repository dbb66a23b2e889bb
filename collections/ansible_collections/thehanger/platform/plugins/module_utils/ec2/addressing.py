# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrators' addresses: those that were given, else the one from which this computer reaches the internet."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from ansible.module_utils.urls import open_url

from .desired import needs_admins
from .errors import Ec2Error

_TIMEOUT = 10


def admin_cidrs(options: Mapping[str, Any]) -> list[str]:
    """Return the ranges that count as the administrators'; asks for the own address only where a rule needs it."""
    given = list(options["admin_cidrs"] or [])
    if given or not needs_admins(options):
        return given
    return [own_address(options["admin_address_url"], f"{options['variable_prefix']}admin_cidrs")]


def own_address(url: str, variable: str) -> str:
    """Ask a service for the own public address; raises Ec2Error, naming the variable that makes this needless."""
    instead = f'Name the addresses that may reach SSH instead: {variable}: ["203.0.113.7/32"]'
    try:
        answer = open_url(url, timeout=_TIMEOUT, http_agent="thehanger.platform").read(100).decode("ascii", "replace")
    except Exception as failure:
        raise Ec2Error(
            f"{variable}: it is empty, and {url} does not tell the own address: {failure}. {instead}"
        ) from failure
    try:
        address = ip_address(answer.strip())
    except ValueError as failure:
        raise Ec2Error(f"{variable}: it is empty, and {url} answers with no address. {instead}") from failure
    return f"{address}/{address.max_prefixlen}"
