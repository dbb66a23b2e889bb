# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of parameters, policies in force and tags."""

from __future__ import annotations

from collections import defaultdict

from .desired_settings import REFERENCES
from .identifiers import literal, parse, quote, show
from .kind import subject
from .observe import Observed
from .state import Desired, Setting
from .steps import Plan, Step
from .values import Value, observed_reference


def set_parameters(desired: Desired, observed: Observed, result: Plan) -> None:
    """Add the steps that set parameters where they are not set to the value, and that unset them."""
    changes: dict[str, tuple[dict[str, Value], dict[str, Value]]] = defaultdict(lambda: ({}, {}))
    for setting in desired.settings:
        known = observed.parameters.get((setting.kind, setting.name), {}).get(setting.parameter)
        before = _observed(setting, known)
        if before == _comparable(setting.value) or (setting.former is not None and before != setting.former):
            continue
        where = "ACCOUNT" if setting.kind is None else subject(setting.kind, setting.name)
        shown = "account" if setting.kind is None else f"{setting.kind.label} {show(setting.name)}"
        words = "UNSET" if setting.value is None else "SET"
        statement = f"ALTER {where} {words} {_assignment(setting)}"
        result.steps.append(Step(words.lower(), "parameter", f"{setting.parameter} of {shown}", statement))
        changes[shown][0][setting.parameter] = before
        changes[shown][1][setting.parameter] = setting.value
    for shown, (old, new) in changes.items():
        result.differ("parameters of", shown, old, new)


def _observed(setting: Setting, known: str | None) -> str | None:
    if setting.parameter in REFERENCES:
        return observed_reference(known)
    return known


def _comparable(value: Value) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _assignment(setting: Setting) -> str:
    if setting.value is None:
        return setting.parameter
    if setting.parameter in REFERENCES:
        sign = " " if " " in setting.parameter else " = "
        return f"{setting.parameter}{sign}{quote(parse(str(setting.value)))}"
    written = literal(setting.value) if isinstance(setting.value, str) else str(setting.value).upper()
    return f"{setting.parameter} = {written}"


def assign_tags(desired: Desired, observed: Observed, result: Plan) -> None:
    """Add the steps that put tags on objects and take them off."""
    for item in desired.taggings:
        known = observed.tags.get((item.kind, item.name, item.tag))
        if known == item.value:
            continue
        target, shown = f"ALTER {subject(item.kind, item.name)}", f"{item.kind.label} {show(item.name)}"
        tail = "UNSET TAG" if item.value is None else "SET TAG"
        value = "" if item.value is None else f" = {literal(item.value)}"
        statement = f"{target} {tail} {quote(item.tag)}{value}"
        result.steps.append(Step(tail.split()[0].lower(), "tag", f"{show(item.tag)} of {shown}", statement))
        result.differ(f"tag {show(item.tag)} of", shown, {"value": known}, {"value": item.value})
