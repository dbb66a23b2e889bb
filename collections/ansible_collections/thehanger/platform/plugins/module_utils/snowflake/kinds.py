# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects as data: how each is listed, what its properties are, how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import values
from .identifiers import Name
from .keys import fingerprint, public_key_body
from .values import Value

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Property:
    """One property of an object.

    `read` and `column` make its value out of a SHOW row, `wanted` out of the option; both raise ValueError or return
    values that compare. `created` stands in where an object is created and the option says nothing. `shown` is what
    is compared and printed instead of the value itself. A property without a column is set at creation only; one with
    a `command` is changed by a statement of its own; it starts with the value of the property that `initial` names,
    or false.
    `settled` holds the errors that say that a command came too late, because the account had done the same by itself.
    A property with `columns` is made of several columns and written as a clause behind the assignments.
    """

    option: str
    keyword: str
    column: str | None
    wanted: Callable[[Any], Value]
    read: Callable[[Any], Value]
    write: Callable[[Value], str]
    created: Value = None
    shown: Callable[[Value], Value] = field(default=lambda value: value)
    command: Callable[[Value], str] | None = None
    initial: str = ""
    settled: frozenset[int] = frozenset()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of object: its option in the modules, its word in SQL, how all of them are listed, its properties.

    Names in `hidden` are not objects of their own, names in `protected` are never dropped. `introduction` stands
    between name and properties in CREATE.
    """

    option: str
    word: str
    listing: str
    name_columns: tuple[str, ...]
    properties: tuple[Property, ...]
    hidden: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()
    introduction: str = ""

    @property
    def label(self) -> str:
        """The kind in a message."""
        return self.word.lower()

    def name_of(self, row: Row) -> Name:
        """Return the name of the object in a row of the listing."""
        return tuple(str(row[column]) for column in self.name_columns)

    def observed(self, row: Row) -> dict[str, Value]:
        """Return the properties in a row of the listing; a column that an account does not show is left out."""
        found = {
            item.option: item.read(row[item.column])
            for item in self.properties
            if item.column is not None and item.column in row
        }
        clauses = [item for item in self.properties if item.columns and set(item.columns) <= set(row)]
        return found | {item.option: item.read([row[column] for column in item.columns]) for item in clauses}


def _comment() -> Property:
    return _text("comment")


def _reference(option: str) -> Property:
    keyword = option.upper()
    return Property(option, keyword, option, values.reference, values.observed_reference, values.as_identifier)


def _text(option: str) -> Property:
    return Property(option, option.upper(), option, values.text, values.text, values.as_literal)


def _whole(option: str, keyword: str, column: str) -> Property:
    return Property(option, keyword, column, values.whole, values.whole, values.as_keyword)


def _word(option: str, keyword: str, column: str) -> Property:
    return Property(option, keyword, column, values.keyword, values.keyword, values.as_keyword)


def _retention() -> Property:
    return _whole("data_retention_days", "DATA_RETENTION_TIME_IN_DAYS", "retention_time")


def _key(option: str) -> Property:
    return Property(
        option,
        option.upper(),
        f"{option}_fp",
        lambda text: public_key_body(text) if text else None,
        values.observed_text,
        values.as_literal,
        shown=_key_shown,
    )


def _key_shown(value: Value) -> Value:
    return fingerprint(value) if isinstance(value, str) and not value.startswith("SHA256:") else value


MONITOR = Kind(
    option="resource_monitors",
    word="RESOURCE MONITOR",
    listing="SHOW RESOURCE MONITORS",
    name_columns=("name",),
    properties=(
        Property(
            "credit_quota",
            "CREDIT_QUOTA",
            "credit_quota",
            values.credits_,
            values.observed_credits,
            values.as_keyword,
        ),
        # A frequency needs a beginning, which cannot be compared: the account shows the moment that it came to.
        Property(
            "frequency",
            "FREQUENCY",
            "frequency",
            values.keyword,
            values.keyword,
            lambda value: f"{value} START_TIMESTAMP = IMMEDIATELY",
        ),
        Property(
            "triggers",
            "TRIGGERS",
            None,
            values.triggers,
            values.observed_triggers,
            values.as_triggers,
            columns=values.TRIGGER_COLUMNS,
        ),
    ),
    introduction="WITH",
)
ROLE = Kind(
    option="roles",
    word="ROLE",
    listing="SHOW ROLES",
    name_columns=("name",),
    properties=(_comment(),),
    protected=frozenset({"ACCOUNTADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN"}),
)
WAREHOUSE = Kind(
    option="warehouses",
    word="WAREHOUSE",
    listing="SHOW WAREHOUSES",
    name_columns=("name",),
    properties=(
        Property(
            "size",
            "WAREHOUSE_SIZE",
            "size",
            values.warehouse_size,
            values.observed_size,
            values.as_keyword,
            created="XSMALL",
        ),
        Property(
            "auto_suspend",
            "AUTO_SUSPEND",
            "auto_suspend",
            values.whole,
            values.whole,
            values.as_keyword,
            created=60,
        ),
        Property(
            "auto_resume",
            "AUTO_RESUME",
            "auto_resume",
            values.boolean,
            values.boolean,
            values.as_keyword,
            created=True,
        ),
        Property(
            "initially_suspended",
            "INITIALLY_SUSPENDED",
            None,
            values.boolean,
            values.boolean,
            values.as_keyword,
            created=True,
        ),
        Property(
            "suspended",
            "SUSPENDED",
            "state",
            values.boolean,
            values.observed_suspension,
            values.as_keyword,
            command=lambda suspended: "SUSPEND" if suspended else "RESUME IF SUSPENDED",
            initial="initially_suspended",
            settled=frozenset({90063, 90064}),
        ),
        _whole("min_clusters", "MIN_CLUSTER_COUNT", "min_cluster_count"),
        _whole("max_clusters", "MAX_CLUSTER_COUNT", "max_cluster_count"),
        _word("scaling_policy", "SCALING_POLICY", "scaling_policy"),
        _reference("resource_monitor"),
        _comment(),
    ),
)
DATABASE = Kind(
    option="databases",
    word="DATABASE",
    listing="SHOW DATABASES",
    name_columns=("name",),
    properties=(_retention(), _comment()),
)
SCHEMA = Kind(
    option="schemas",
    word="SCHEMA",
    listing="SHOW SCHEMAS IN ACCOUNT",
    name_columns=("database_name", "name"),
    properties=(
        Property(
            "managed_access",
            "MANAGED_ACCESS",
            "options",
            values.boolean,
            values.observed_managed_access,
            values.as_keyword,
            command=lambda managed: f"{'ENABLE' if managed else 'DISABLE'} MANAGED ACCESS",
        ),
        _retention(),
        _comment(),
    ),
    hidden=frozenset({"INFORMATION_SCHEMA"}),
)
USER = Kind(
    option="users",
    word="USER",
    listing="SHOW USERS",
    name_columns=("name",),
    properties=(
        Property("type", "TYPE", "type", values.user_type, values.user_type, values.as_keyword, created="SERVICE"),
        _key("rsa_public_key"),
        _key("rsa_public_key_2"),
        Property("login_name", "LOGIN_NAME", "login_name", values.keyword, values.keyword, values.as_literal),
        _text("display_name"),
        _text("email"),
        _reference("default_role"),
        _reference("default_warehouse"),
        _reference("default_namespace"),
        Property("disabled", "DISABLED", "disabled", values.boolean, values.boolean, values.as_keyword),
        _comment(),
    ),
)

IN_ORDER = (ROLE, MONITOR, WAREHOUSE, DATABASE, SCHEMA, USER)
BY_WORD = {kind.word: kind for kind in IN_ORDER}
