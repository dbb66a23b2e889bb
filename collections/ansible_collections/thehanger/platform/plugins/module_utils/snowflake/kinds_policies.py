# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that say who may come in from where and how, and tags, by which an account is governed."""

from __future__ import annotations

from collections.abc import Iterable

from . import values
from .identifiers import literal
from .kind import Details, Kind, Property, comment, several, word
from .values import Value


def policies(schema: Kind) -> tuple[Kind, Kind, Kind, Kind]:
    """Return network rules, network policies, authentication policies and tags."""
    in_schema = ("database_name", "schema_name", "name")
    network_rule = Kind(
        option="network_rules",
        word="NETWORK RULE",
        listing="SHOW NETWORK RULES IN ACCOUNT",
        name_columns=in_schema,
        place=schema,
        properties=(
            word("type", "TYPE", "type", fixed=True),
            several("value_list", "VALUE_LIST", values.words, values.observed_words, values.as_literals),
            word("mode", "MODE", "mode", fixed=True),
            comment(),
        ),
        details=Details(),
    )
    network_policy = Kind(
        option="network_policies",
        word="NETWORK POLICY",
        listing="SHOW NETWORK POLICIES",
        name_columns=("name",),
        properties=(
            *(
                several(f"{way}_network_rule_list", f"{way}_NETWORK_RULE_LIST".upper(), *_RULES)
                for way in ("allowed", "blocked")
            ),
            *(several(f"{way}_ip_list", f"{way}_IP_LIST".upper(), *_ADDRESSES) for way in ("allowed", "blocked")),
            comment(),
        ),
        details=Details(("name", "value")),
    )
    authentication_policy = Kind(
        option="authentication_policies",
        word="AUTHENTICATION POLICY",
        listing="SHOW AUTHENTICATION POLICIES IN ACCOUNT",
        name_columns=in_schema,
        place=schema,
        properties=(
            *(
                several(option, option.upper(), values.keywords, values.observed_words, values.as_literals)
                for option in ("authentication_methods", "client_types", "security_integrations")
            ),
            Property(
                "mfa_enrollment",
                "MFA_ENROLLMENT",
                "mfa_enrollment",
                values.keyword,
                values.keyword,
                values.as_literal,
                detail=True,
            ),
            comment(),
        ),
        details=Details(("property", "value")),
    )
    tag = Kind(
        option="tags",
        word="TAG",
        listing="SHOW TAGS IN ACCOUNT",
        name_columns=in_schema,
        place=schema,
        properties=(
            Property(
                "allowed_values",
                "ALLOWED_VALUES",
                "allowed_values",
                values.words,
                values.observed_words,
                _as_allowed,
                command=_allow,
                clause="first",
            ),
            comment(),
        ),
    )
    return network_rule, network_policy, authentication_policy, tag


_RULES = (values.references, values.observed_rules, values.as_identifiers)
_ADDRESSES = (values.addresses, values.observed_words, values.as_literals)


def _as_allowed(value: Value) -> str:
    return f"ALLOWED_VALUES {_literals(value)}" if value else ""


def _allow(wanted: Value, known: Value) -> Iterable[str]:
    """Add and drop single values, so that a value in use is never gone for a moment."""
    before, after = values.members(known), values.members(wanted)
    if not after:
        yield "UNSET ALLOWED_VALUES"
        return
    if added := [value for value in after if value not in before]:
        yield f"ADD ALLOWED_VALUES {_literals(tuple(added))}"
    if removed := [value for value in before if value not in after]:
        yield f"DROP ALLOWED_VALUES {_literals(tuple(removed))}"


def _literals(value: Value) -> str:
    return ", ".join(literal(item) for item in values.members(value))
