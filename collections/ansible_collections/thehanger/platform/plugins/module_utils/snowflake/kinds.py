# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects as data, in the order in which they are created."""

from __future__ import annotations

from . import values
from .keys import fingerprint, public_key_body
from .kind import Details, Kind, Property, Row, comment, reference, retention, switch, text, whole, word
from .kinds_policies import policies
from .kinds_stages import stages
from .values import Value


def _key(option: str) -> Property:
    return Property(
        option,
        option.upper(),
        f"{option}_fp",
        lambda text: public_key_body(text) if text else None,
        values.observed_text,
        values.as_literal,
        shown=_key_shown,
        detail=True,
    )


def _key_shown(value: Value) -> Value:
    return fingerprint(value) if isinstance(value, str) and not value.startswith("SHA256:") else value


def _keyless(row: Row) -> bool:
    return str(row.get("has_rsa_public_key")).lower() == "false"


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
            values.TRIGGER_COLUMNS,
            values.triggers,
            values.observed_triggers,
            values.as_triggers,
            clause="last",
        ),
    ),
    introduction="WITH",
)
ROLE = Kind(
    option="roles",
    word="ROLE",
    listing="SHOW ROLES",
    name_columns=("name",),
    properties=(comment(),),
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
        switch("auto_resume", "AUTO_RESUME", "auto_resume", created=True),
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
            command=lambda suspended, _known: ["SUSPEND" if suspended else "RESUME IF SUSPENDED"],
            initial="initially_suspended",
            settled=frozenset({90063, 90064}),
        ),
        whole("min_clusters", "MIN_CLUSTER_COUNT", "min_cluster_count"),
        whole("max_clusters", "MAX_CLUSTER_COUNT", "max_cluster_count"),
        word("scaling_policy", "SCALING_POLICY", "scaling_policy"),
        reference("resource_monitor"),
        comment(),
    ),
)
DATABASE = Kind(
    option="databases",
    word="DATABASE",
    listing="SHOW DATABASES",
    name_columns=("name",),
    properties=(retention(), comment()),
)
SCHEMA = Kind(
    option="schemas",
    word="SCHEMA",
    listing="SHOW SCHEMAS IN ACCOUNT",
    name_columns=("database_name", "name"),
    place=DATABASE,
    properties=(
        Property(
            "managed_access",
            "MANAGED_ACCESS",
            "options",
            values.boolean,
            values.observed_managed_access,
            values.as_keyword,
            command=lambda managed, _known: [f"{'ENABLE' if managed else 'DISABLE'} MANAGED ACCESS"],
        ),
        retention(),
        comment(),
    ),
    hidden=frozenset({"INFORMATION_SCHEMA"}),
)
DATABASE_ROLE = Kind(
    option="database_roles",
    word="DATABASE ROLE",
    listing="SHOW DATABASE ROLES IN DATABASE {place}",
    name_columns=("name",),
    place=DATABASE,
    properties=(comment(),),
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
        text("display_name"),
        text("email"),
        reference("default_role"),
        reference("default_warehouse"),
        reference("default_namespace"),
        switch("disabled", "DISABLED", "disabled"),
        comment(),
    ),
    details=Details(("property", "value"), missing=_keyless),
)

NETWORK_RULE, NETWORK_POLICY, AUTHENTICATION_POLICY, TAG = policies(SCHEMA)
STORAGE_INTEGRATION, FILE_FORMAT, STAGE = stages(SCHEMA)

IN_ORDER = (
    ROLE,
    MONITOR,
    WAREHOUSE,
    DATABASE,
    SCHEMA,
    DATABASE_ROLE,
    TAG,
    NETWORK_RULE,
    NETWORK_POLICY,
    AUTHENTICATION_POLICY,
    STORAGE_INTEGRATION,
    FILE_FORMAT,
    STAGE,
    USER,
)
BY_WORD = {kind.word: kind for kind in IN_ORDER}


def imported(row: Row) -> bool:
    """Return whether a database comes from a share or an application, so that nothing in it is ours."""
    return bool(row.get("origin")) or str(row.get("kind") or "STANDARD").upper() != "STANDARD"
