# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies, tags, parameters, stages, ownership and exclusive grants against the lab's emulated account."""

from __future__ import annotations

import pytest

pytest.importorskip("hanger_lab.snowflake.server")

from snowflake_lab import run_module, running
from snowflake_runner import ModuleFailed

BASE = {
    "databases": [{"name": "GOVERNANCE"}, {"name": "RAW"}],
    "schemas": [{"name": "GOVERNANCE.NETWORK"}, {"name": "RAW.GYM"}],
    "warehouses": [{"name": "LOADING"}],
    "roles": [{"name": "LOADER"}, {"name": "READER"}],
    "users": [{"name": "AIRBYTE"}, {"name": "SUPERSET"}, {"name": '"a person"', "type": "person"}],
}
# One of each kind: what is made, what is changed in it, what the change sends.
KINDS = {
    "network_rules": (
        {"name": "GOVERNANCE.NETWORK.OFFICE", "type": "ipv4", "value_list": ["192.0.2.0/24"], "comment": "Ours"},
        {"value_list": ["192.0.2.0/24", "198.51.100.7"]},
        ["ALTER NETWORK RULE \"GOVERNANCE\".\"NETWORK\".\"OFFICE\" SET VALUE_LIST = ('192.0.2.0/24', '198.51.100.7')"],
    ),
    "network_policies": (
        {"name": "OFFICE", "allowed_ip_list": ["127.0.0.1", "10.0.0.0/8"], "blocked_ip_list": ["10.1.0.0/16"]},
        {"blocked_ip_list": [], "comment": "It's ours"},
        ["ALTER NETWORK POLICY \"OFFICE\" SET BLOCKED_IP_LIST = () COMMENT = 'It''s ours'"],
    ),
    "authentication_policies": (
        {"name": "GOVERNANCE.NETWORK.KEYS", "authentication_methods": ["keypair"], "client_types": ["drivers"]},
        {"authentication_methods": ["KEYPAIR", "PASSWORD"], "mfa_enrollment": "required"},
        [
            'ALTER AUTHENTICATION POLICY "GOVERNANCE"."NETWORK"."KEYS" SET '
            "AUTHENTICATION_METHODS = ('KEYPAIR', 'PASSWORD') MFA_ENROLLMENT = 'REQUIRED'"
        ],
    ),
    "tags": (
        {"name": "GOVERNANCE.NETWORK.COST", "allowed_values": ["a", "b"], "comment": "Who pays"},
        {"allowed_values": ["b", "c'"]},
        [
            "ALTER TAG \"GOVERNANCE\".\"NETWORK\".\"COST\" ADD ALLOWED_VALUES 'c'''",
            "ALTER TAG \"GOVERNANCE\".\"NETWORK\".\"COST\" DROP ALLOWED_VALUES 'a'",
        ],
    ),
    "storage_integrations": (
        {"name": "LANDING", "provider": "S3", "aws_role_arn": "arn:aws:iam::1:role/r", "allowed_locations": ["s3://a/"]},
        {"allowed_locations": ["s3://a/", "s3://b/"], "enabled": False},
        ["ALTER STORAGE INTEGRATION \"LANDING\" SET ENABLED = FALSE STORAGE_ALLOWED_LOCATIONS = ('s3://a/', 's3://b/')"],
    ),
    "file_formats": (
        {"name": "RAW.GYM.EXPORT", "type": "csv", "options": {"skip_header": 1, "FIELD_DELIMITER": ";"}},
        {"options": {"SKIP_HEADER": 2}, "comment": "Two"},
        ['ALTER FILE FORMAT "RAW"."GYM"."EXPORT" SET SKIP_HEADER = 2 COMMENT = \'Two\''],
    ),
    "stages": (
        {"name": "RAW.GYM.INCOMING", "directory": True, "comment": "Files"},
        {"directory": False},
        ['ALTER STAGE "RAW"."GYM"."INCOMING" SET DIRECTORY = (ENABLE = FALSE)'],
    ),
    "database_roles": (
        {"name": "RAW.READER", "granted_to": ["READER"], "comment": "Reads"},
        {"comment": "Reads all"},
        ['ALTER DATABASE ROLE "RAW"."READER" SET COMMENT = \'Reads all\''],
    ),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("governance")) as account:
        yield account


@pytest.fixture
def call(lab, capsys):
    def run(name="snowflake_account", /, check_mode=False, **options):
        return run_module(capsys, name, check_mode, **{**lab.login, **options})

    run(**BASE)
    return run


def settled(call, **options):
    """Apply, and expect that a second run and check mode find nothing to do."""
    result = call(**options)
    assert call(**options)["statements"] == []
    assert call(check_mode=True, **options)["statements"] == []
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_changed_and_dropped(call, kind):
    made, change, statements = KINDS[kind]
    assert call(check_mode=True, **{kind: [made]})["statements"] == settled(call, **{kind: [made]})["statements"]
    changed = settled(call, **{kind: [{**made, **change}]})
    assert changed["statements"] == statements
    assert changed["diff"]
    gone = settled(call, **{kind: [{"name": made["name"], "state": "absent"}]})
    assert [step["action"] for step in gone["plan"]] == ["drop"]


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("network_rules", {"type": "host_port", "value_list": ["a.example:443"]}, r"\[0\]\.type: .* has IPV4, which"),
        ("file_formats", {"type": "json", "options": {}}, r"\[0\]\.type: .* has CSV, which Snowflake cannot change"),
    ],
)
def test_what_cannot_be_changed_is_refused(call, kind, change, message):
    made = KINDS[kind][0]
    call(**{kind: [made]})
    with pytest.raises(ModuleFailed, match=message):
        call(**{kind: [{**made, **change}]})
    assert call(**{kind: [made]})["changed"] is False


def test_policies_are_put_in_force(call):
    policy = {"name": "HOME", "allowed_ip_list": ["127.0.0.1"], "users": ["AIRBYTE"], "account": True}
    assert settled(call, network_policies=[policy])["statements"][1:] == [
        'ALTER USER "AIRBYTE" SET NETWORK_POLICY = "HOME"',
        'ALTER ACCOUNT SET NETWORK_POLICY = "HOME"',
    ]
    keys = {"name": "GOVERNANCE.NETWORK.SERVICES", "authentication_methods": ["KEYPAIR"], "users": ["AIRBYTE"]}
    assert settled(call, authentication_policies=[keys])["statements"][1:] == [
        'ALTER USER "AIRBYTE" SET AUTHENTICATION POLICY "GOVERNANCE"."NETWORK"."SERVICES"'
    ]
    unset = [
        {"type": "account", "parameters": {"NETWORK_POLICY": None}},
        {"type": "user", "name": "AIRBYTE", "parameters": {"NETWORK_POLICY": None}},
    ]
    assert len(settled(call, parameters=unset)["statements"]) == 2


def test_a_policy_that_shuts_the_session_out_is_refused(call):
    with pytest.raises(ModuleFailed, match=r"set parameter NETWORK_POLICY of account: "):
        call(network_policies=[{"name": "AWAY", "allowed_ip_list": ["192.0.2.1"], "account": True}])


def test_parameters_are_set_where_they_are_described(call):
    wanted = [
        {"type": "account", "parameters": {"STATEMENT_TIMEOUT_IN_SECONDS": 7200, "TIMEZONE": "UTC"}},
        {"type": "warehouse", "name": "LOADING", "parameters": {"statement_timeout_in_seconds": 7200}},
        {"type": "user", "name": '"a person"', "parameters": {"QUERY_TAG": "it's me", "ABORT_DETACHED_QUERY": True}},
        {"type": "schema", "name": "RAW.GYM", "parameters": {"DATA_RETENTION_TIME_IN_DAYS": 0}},
    ]
    assert settled(call, parameters=wanted)["statements"] == [
        'ALTER WAREHOUSE "LOADING" SET STATEMENT_TIMEOUT_IN_SECONDS = 7200',
        "ALTER USER \"a person\" SET QUERY_TAG = 'it''s me'",
        'ALTER USER "a person" SET ABORT_DETACHED_QUERY = TRUE',
        'ALTER SCHEMA "RAW"."GYM" SET DATA_RETENTION_TIME_IN_DAYS = 0',
        "ALTER ACCOUNT SET STATEMENT_TIMEOUT_IN_SECONDS = 7200",
        "ALTER ACCOUNT SET TIMEZONE = 'UTC'",
    ]
    gone = [{**entry, "parameters": dict.fromkeys(entry["parameters"])} for entry in wanted]
    assert len(settled(call, parameters=gone)["statements"]) == 6


def test_tags_are_put_on_objects(call):
    tag = {"name": "GOVERNANCE.NETWORK.TEAM", "allowed_values": ["el", "bi"]}
    objects = [
        {"type": "warehouse", "name": "LOADING", "value": "el"},
        {"type": "database", "name": "RAW", "value": "el"},
        {"type": "user", "name": '"a person"', "value": "bi"},
    ]
    settled(call, tags=[{**tag, "objects": objects}])
    objects = [{**objects[0], "value": "bi"}, {"type": "database", "name": "RAW"}]
    moved = settled(call, tags=[{**tag, "objects": objects}])
    assert moved["statements"] == [
        "ALTER WAREHOUSE \"LOADING\" SET TAG \"GOVERNANCE\".\"NETWORK\".\"TEAM\" = 'bi'",
        'ALTER DATABASE "RAW" UNSET TAG "GOVERNANCE"."NETWORK"."TEAM"',
    ]


def test_exclusive_revokes_what_is_not_listed_and_nothing_else(call):
    kept = [
        {"role": "READER", "privileges": ["USAGE"], "type": "database", "name": "RAW"},
        {"role": "READER", "privileges": ["SELECT"], "type": "table", "future_in": "RAW"},
    ]
    more = [
        {"role": "READER", "privileges": ["MODIFY", "MONITOR"], "type": "database", "name": "RAW"},
        {"role": "READER", "privileges": ["CREATE DATABASE"], "type": "account"},
        {"role": "READER", "privileges": ["SELECT"], "type": "view", "future_in": "RAW.GYM"},
        {"role": "LOADER", "privileges": ["USAGE"], "type": "warehouse", "name": "LOADING"},
    ]
    call(grants=[*kept, *more], role_memberships=[{"role": "LOADER", "roles": ["READER"]}])
    assert call(grants=kept)["unlisted"] == {
        "role READER": [
            "CREATE DATABASE on account",
            "MODIFY on database RAW",
            "MONITOR on database RAW",
            "SELECT on future views in schema RAW.GYM",
        ]
    }
    assert settled(call, grants=kept, exclusive=True)["statements"] == [
        'REVOKE CREATE DATABASE ON ACCOUNT FROM ROLE "READER"',
        'REVOKE MODIFY, MONITOR ON DATABASE "RAW" FROM ROLE "READER"',
        'REVOKE SELECT ON FUTURE VIEWS IN SCHEMA "RAW"."GYM" FROM ROLE "READER"',
    ]
    assert call(role_memberships=[{"role": "LOADER", "roles": ["READER"]}])["changed"] is False
    assert call(grants=more[3:])["changed"] is False


def test_members_that_are_not_listed_lose_the_role(call):
    call(role_memberships=[{"role": "LOADER", "roles": ["READER", "SYSADMIN"], "users": ["AIRBYTE", '"a person"']}])
    only = {"role": "LOADER", "roles": ["SYSADMIN"], "users": ["AIRBYTE"], "exclusive": True}
    assert sorted(settled(call, role_memberships=[only])["statements"]) == [
        'REVOKE ROLE "LOADER" FROM ROLE "READER"',
        'REVOKE ROLE "LOADER" FROM USER "a person"',
    ]


def test_the_grant_option_comes_and_goes(call):
    entry = {"role": "READER", "privileges": ["USAGE"], "type": "warehouse", "name": "LOADING"}
    call(grants=[entry])
    assert settled(call, grants=[{**entry, "grant_option": True}])["statements"] == [
        'GRANT USAGE ON WAREHOUSE "LOADING" TO ROLE "READER" WITH GRANT OPTION'
    ]
    assert call(grants=[entry])["changed"] is False
    assert settled(call, grants=[{**entry, "grant_option": False}])["statements"] == [
        'REVOKE GRANT OPTION FOR USAGE ON WAREHOUSE "LOADING" FROM ROLE "READER"'
    ]


def test_ownership_is_transferred_with_the_grants_or_without(call):
    call(databases=[{"name": "MOVED"}], schemas=[{"name": "MOVED.A"}])
    read = {"role": "READER", "privileges": ["USAGE"], "type": "schema", "name": "MOVED.A"}
    call(grants=[read])
    entry = {"type": "schema", "name": "MOVED.A"}
    settled(call, ownership=[{**entry, "role": "LOADER"}])
    assert call(check_mode=True, grants=[read])["changed"] is False
    settled(call, ownership=[{**entry, "role": "SYSADMIN", "current_grants": "revoke"}])
    assert call(check_mode=True, grants=[read])["changed"] is True
    settled(call, ownership=[{**entry, "role": "LOADER", "current_grants": "revoke"}], grants=[read])


def test_database_roles_hold_privileges_in_their_database(call):
    grants = [
        {"database_role": "RAW.INSIDE", "privileges": ["USAGE"], "type": "schema", "all_in": "RAW"},
        {"database_role": "RAW.INSIDE", "privileges": ["SELECT"], "type": "table", "future_in": "RAW"},
    ]
    roles = [{"name": "RAW.INSIDE", "granted_to": ["READER"]}, {"name": "RAW.OUTER"}]
    settled(call, database_roles=roles, grants=grants)
    settled(call, role_memberships=[{"database_role": "RAW.INSIDE", "database_roles": ["RAW.OUTER"]}])
    gone = [{"name": role["name"], "state": "absent"} for role in roles]
    settled(call, database_roles=gone)


def test_imported_privileges_are_held_once(call):
    entry = {"role": "READER", "privileges": ["IMPORTED PRIVILEGES"], "type": "database", "name": "SNOWFLAKE"}
    assert settled(call, grants=[entry])["statements"] == [
        'GRANT IMPORTED PRIVILEGES ON DATABASE "SNOWFLAKE" TO ROLE "READER"'
    ]
    settled(call, grants=[{**entry, "state": "absent"}])


def test_tokens_are_kept_in_files(call, tmp_path):
    policy = {"name": "TOKENS", "allowed_ip_list": ["127.0.0.1"], "users": ["SUPERSET"]}
    call(network_policies=[policy], role_memberships=[{"role": "LOADER", "users": ["SUPERSET"]}])
    file = tmp_path / "superset.token"
    token = {"user": "SUPERSET", "name": "LOADS", "role_restriction": "LOADER", "days_to_expiry": 30, "path": str(file)}
    assert call(check_mode=True, tokens=[token])["changed"] is True
    assert not file.exists()
    made = settled(call, tokens=[token])
    assert file.stat().st_mode & 0o777 == 0o600
    secret = file.read_text().strip()
    assert secret not in str(made)
    login = {"user": "SUPERSET", "role": "LOADER", "private_key_path": None, "token": secret}
    found = call("snowflake_query", statements=["SELECT CURRENT_ROLE() AS ROLE"], **login)
    assert found["rows"] == [{"ROLE": "LOADER"}]
    renewed = call(tokens=[{**token, "renew_days": 60}])
    assert [step["action"] for step in renewed["plan"]] == ["rotate"]
    assert file.read_text().strip() != secret
    file.unlink()
    with pytest.raises(ModuleFailed, match="does not tell the secret of token LOADS of user SUPERSET"):
        call(tokens=[token])
    settled(call, tokens=[{"user": "SUPERSET", "name": "LOADS", "state": "absent"}])
