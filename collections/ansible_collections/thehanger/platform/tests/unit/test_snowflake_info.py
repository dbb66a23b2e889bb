# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snowflake_info against emulated accounts: what it returns describes the account, and makes another one like it."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from typing import ClassVar

import pytest
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake import client, export, export_access
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.desired import read_options
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.kinds import ROLE
from snowflake_lab import make_key, run_module, running
from snowflake_runner import ModuleFailed

HELD = {
    "resource_monitors": [
        {
            "name": '"of the month"',
            "credit_quota": 10,
            "frequency": "weekly",
            "triggers": [{"at": 80, "do": "notify"}, {"at": 110, "do": "suspend_immediate"}],
        }
    ],
    "warehouses": [
        {"name": "LOADING", "size": "MEDIUM", "auto_suspend": 0, "resource_monitor": '"of the month"'},
        {"name": '"lower.case"', "auto_resume": False, "comment": "It's \\ odd"},
    ],
    "databases": [{"name": "RAW", "comment": "Landing", "data_retention_days": 0}, {"name": '"lower case"'}],
    "schemas": [{"name": "RAW.GYM", "managed_access": True}, {"name": '"lower case"."a.b"', "comment": "ü"}],
    "roles": [
        {"name": "LOADER", "granted_to": ["SYSADMIN"]},
        {"name": "READER", "granted_to": ["LOADER", "SYSADMIN"], "comment": "Reads"},
        {"name": '"select"', "granted_to": ["PUBLIC"]},
        {"name": "SYSADMIN", "granted_to": ["OVERSEER"]},
        {"name": "OVERSEER"},
    ],
    "database_roles": [
        {"name": "RAW.READS", "granted_to": ["READER"], "comment": "Reads"},
        {"name": "RAW.WRITES", "granted_to_database_roles": ["RAW.READS"]},
    ],
    "network_rules": [
        {"name": "RAW.GYM.OFFICE", "type": "ipv4", "mode": "ingress", "value_list": ["0.0.0.0/0", "192.0.2.0/24"]},
    ],
    "network_policies": [
        {"name": "INSIDE", "allowed_network_rule_list": ["RAW.GYM.OFFICE"], "blocked_ip_list": ["192.0.2.9"]},
        {"name": "EVERYWHERE", "allowed_ip_list": ["0.0.0.0/0"], "account": True},
    ],
    "authentication_policies": [
        {"name": "RAW.GYM.KEYS", "authentication_methods": ["KEYPAIR"], "comment": "No password"},
    ],
    "tags": [{"name": "RAW.GYM.COST", "allowed_values": ["el", "it's"], "comment": "Who pays"}],
    "storage_integrations": [
        {
            "name": "LAKE",
            "provider": "S3",
            "aws_role_arn": "arn:aws:iam::001234567890:role/lake",
            "allowed_locations": ["s3://lake/in/", "s3://lake/out/"],
        }
    ],
    "file_formats": [
        {"name": "RAW.GYM.LINES", "type": "csv", "options": {"FIELD_DELIMITER": "|", "SKIP_HEADER": 1}},
    ],
    "stages": [{"name": "RAW.GYM.IN", "directory": True, "comment": "Files"}],
    "parameters": [{"type": "account", "parameters": {"STATEMENT_TIMEOUT_IN_SECONDS": 3600, "TIMEZONE": "UTC"}}],
    "grants": [
        {"database_role": "RAW.READS", "privileges": ["USAGE"], "type": "schema", "name": "RAW.GYM"},
        {"role": "READER", "privileges": ["MONITOR"], "type": "database", "name": "RAW", "grant_option": True},
        {"role": "LOADER", "privileges": ["USAGE"], "type": "warehouse", "name": "LOADING"},
        {"role": "LOADER", "privileges": ["USAGE", "CREATE SCHEMA"], "type": "database", "name": "RAW"},
        {"role": "LOADER", "privileges": ["CREATE DATABASE"], "type": "account"},
        {"role": "READER", "privileges": ["USAGE"], "type": "schema", "name": '"lower case"."a.b"'},
        {"role": "READER", "privileges": ["SELECT"], "type": "table", "future_in": "RAW"},
        {"role": "READER", "privileges": ["SELECT"], "type": "view", "future_in": "RAW.GYM"},
        {"role": "PUBLIC", "privileges": ["USAGE"], "type": "database", "name": "RAW"},
    ],
}


@pytest.fixture(scope="module")
def labs(tmp_path_factory):
    """Start two accounts: one that is held, one that is empty. Who has a user of the first has it in the second."""
    key = make_key(tmp_path_factory.mktemp("administrator") / "administrator.p8")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(running(tmp_path_factory.mktemp("account"), key)) for _number in range(2)]


@pytest.fixture
def run(labs, capsys):
    def call(name, lab=0, check_mode=False, **options):
        return run_module(capsys, name, check_mode, **{**labs[lab].login, **options})

    return call


FORMS = ("tags", "authentication_policies", "storage_integrations", "stages", "file_formats")


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    first, second = (make_key(directory / name).with_suffix(".pub").read_text() for name in ("a.p8", "b.p8"))
    users = [
        {
            "name": "AIRBYTE",
            "rsa_public_key": first,
            "rsa_public_key_2": second,
            "roles": ["LOADER", '"select"'],
            "default_role": "LOADER",
            "default_warehouse": '"lower.case"',
            "default_namespace": '"lower case"."a.b"',
        },
        {"name": '"ana.maria"', "type": "person", "login_name": "ANA@EXAMPLE.COM", "email": "ana@example.com"},
        {"name": "GONE", "disabled": True, "comment": "Left"},
    ]
    return {**HELD, "users": users}


@pytest.fixture
def counted(monkeypatch):
    """Count what is sent, by its form."""
    sent = Counter()
    ask = client.Client.read

    def read(self, statement):
        sent[re.sub(r'"(?:[^"]|"")*"', "?", statement)] += 1
        return ask(self, statement)

    monkeypatch.setattr(client.Client, "read", read)
    return sent


class TestRoundTrip:
    """One story, in order."""

    def test_what_is_described_changes_nothing(self, run, held):
        assert run("snowflake_account", **held)["changed"]
        found = run("snowflake_info", gather=list(export.GATHERED))
        assert found["left_out"] == [] or {item["name"] for item in found["left_out"]} == {"all of them"}
        again = run("snowflake_account", **found["account"])
        assert (again["statements"], again["diff"], again["changed"]) == ([], [], False)
        assert {role.removeprefix("role ") for role in again["unlisted"]} <= ROLE.protected

    def test_everything_that_was_made_is_in_it(self, run, held):
        found = run("snowflake_info")["account"]
        for kind, entries in held.items():
            if kind in ("grants", "parameters"):
                continue
            names = {entry["name"]: entry for entry in found[kind]}
            for entry in entries:
                described = names[entry["name"]]
                for option, value in entry.items():
                    if option.startswith("rsa_"):
                        value = "".join(value.splitlines()[1:-1])
                    if option == "options":
                        assert {key: str(described[option][key]) for key in value} == {
                            k: str(v) for k, v in value.items()
                        }
                    elif isinstance(value, list) and isinstance(value[0], str):
                        assert sorted(described[option]) == sorted(value), (kind, entry["name"], option)
                    else:
                        assert described[option] == value, (kind, entry["name"], option)

    def test_makes_another_account_like_it(self, run):
        found = run("snowflake_info")
        assert run("snowflake_account", lab=1, **found["account"])["changed"]
        other = run("snowflake_info", lab=1)
        assert other["account"] == found["account"]

    def test_check_mode_returns_the_same(self, run):
        assert run("snowflake_info", check_mode=True)["account"] == run("snowflake_info")["account"]

    def test_sends_one_listing_per_kind_and_three_statements_per_role(self, run, counted):
        found = run("snowflake_info")["account"]
        listings = {statement: times for statement, times in counted.items() if "?" not in statement}
        assert set(listings.values()) == {1}
        roles = counted["SHOW GRANTS TO ROLE ?"]
        assert roles >= len(found["roles"])
        assert counted["SHOW GRANTS OF DATABASE ROLE ?.?"] == len(found["database_roles"])
        assert counted["SHOW GRANTS OF ROLE ?"] == counted["SHOW FUTURE GRANTS TO ROLE ?"] == roles
        assert counted["DESC USER ?"] <= len([user for user in found["users"] if "rsa_public_key" in user]) + 1


class TestSelection:
    def test_gathers_what_is_asked(self, run, counted):
        found = run("snowflake_info", gather=["databases", "warehouses"])["account"]
        assert set(found) == {"databases", "warehouses"}
        assert sum(counted.values()) == 2

    def test_patterns_select_by_the_name_that_is_returned(self, run):
        patterns = {"databases": ["RAW"], "schemas": ['"lower case".*'], "grants": ["LOAD*"]}
        found = run("snowflake_info", patterns=patterns)["account"]
        assert [item["name"] for item in found["databases"]] == ["RAW"]
        assert {item["name"] for item in found["schemas"]} == {'"lower case".PUBLIC', '"lower case"."a.b"'}
        assert {item["role"] for item in found["grants"]} == {"LOADER"}
        assert len(found["warehouses"]) == 2

    @pytest.mark.parametrize(
        ("patterns", "reason"),
        [({"tables": ["A"]}, "^patterns.tables: patterns are for"), ({"roles": "A"}, "^patterns.roles: a list")],
    )
    def test_a_pattern_for_nothing_is_refused_before_the_login(self, run, patterns, reason):
        with pytest.raises(ModuleFailed, match=reason):
            run("snowflake_info", patterns=patterns, port=1)


class TestForms:
    """Kinds by rows in the form in which Snowflake documents them: the entry says the same as the rows."""

    ROWS: ClassVar = {
        "SHOW DATABASES": [{"name": "D", "origin": "", "kind": "STANDARD"}],
        "SHOW TAGS IN ACCOUNT": [{"name": "COST", "allowed_values": '["el","it\'s"]', "comment": "Who pays"}],
        "SHOW AUTHENTICATION POLICIES IN ACCOUNT": [{"name": "KEYS", "comment": ""}],
        'DESC AUTHENTICATION POLICY "D"."S"."KEYS"': [
            {"property": "AUTHENTICATION_METHODS", "value": "[KEYPAIR, PASSWORD]"},
            {"property": "MFA_ENROLLMENT", "value": "REQUIRED"},
        ],
        "SHOW STORAGE INTEGRATIONS": [{"name": "LAKE", "enabled": "true", "comment": None}],
        'DESC STORAGE INTEGRATION "LAKE"': [
            {"property": "STORAGE_PROVIDER", "property_value": "S3"},
            {"property": "STORAGE_AWS_ROLE_ARN", "property_value": "arn:aws:iam::1:role/lake"},
            {"property": "STORAGE_ALLOWED_LOCATIONS", "property_value": "s3://lake/in/,s3://lake/out/"},
        ],
        "SHOW FILE FORMATS IN ACCOUNT": [
            {
                "name": "LINES",
                "type": "CSV",
                "format_options": json.dumps(
                    {
                        "TYPE": "CSV",
                        "FIELD_DELIMITER": "'\\",
                        "SKIP_HEADER": 1,
                        "TRIM_SPACE": True,
                        "NULL_IF": ["\\N", "it's", ""],
                        "COMPRESSION": "AUTO",
                    }
                ),
            }
        ],
        "SHOW STAGES IN ACCOUNT": [
            {"name": "IN", "url": "", "storage_integration": None, "directory_enabled": "Y", "comment": ""}
        ],
    }

    @pytest.fixture
    def found(self):
        def read_all(statements):
            rows = [self.ROWS.get(statement, []) for statement in statements]
            return [[{"database_name": "D", "schema_name": "S", **row} for row in some] for some in rows]

        return export_access.export(export.Reader(read_all), FORMS, {})

    def test_are_the_options(self, found):
        assert found.left_out == []
        assert found.document["tags"] == [
            {"name": "D.S.COST", "allowed_values": ["el", "it's"], "comment": "Who pays"},
        ]
        assert found.document["authentication_policies"] == [
            {"name": "D.S.KEYS", "authentication_methods": ["KEYPAIR", "PASSWORD"], "mfa_enrollment": "required"}
        ]
        assert found.document["storage_integrations"] == [
            {
                "name": "LAKE",
                "provider": "S3",
                "enabled": True,
                "aws_role_arn": "arn:aws:iam::1:role/lake",
                "allowed_locations": ["s3://lake/in/", "s3://lake/out/"],
            }
        ]
        assert found.document["stages"] == [{"name": "D.S.IN", "directory": True}]

    def test_the_options_of_a_file_format_are_what_they_were(self, found):
        (entry,) = found.document["file_formats"]
        given = json.loads(self.ROWS["SHOW FILE FORMATS IN ACCOUNT"][0]["format_options"])
        given.pop("TYPE")
        wanted = {"file_formats": [{"name": "D.S.LINES", "type": "csv", "options": given}]}
        assert read_options({"file_formats": [entry]}).things == read_options(wanted).things
        assert entry["options"]["NULL_IF"] == ["\\N", "it's", ""]


class TestWhatCannotBeSaid:
    """Rows that the emulated account does not produce, in the form in which Snowflake shows them."""

    def rows(self, **answers):
        def read_all(statements):
            return [answers.get(statement.split(" IN ")[0].replace(" ", "_"), []) for statement in statements]

        return read_all

    def test_is_left_out_with_its_reason(self):
        read = self.rows(
            SHOW_ROLES=[{"name": "R", "comment": ""}],
            **{
                'SHOW_GRANTS_TO_ROLE_"R"': [
                    {"privilege": "USAGE", "granted_on": "FUNCTION", "name": 'RAW.GYM."F(A NUMBER):FLOAT"'},
                    {"privilege": "USAGE", "granted_on": "MOON", "name": "X"},
                    {"privilege": "OWNERSHIP", "granted_on": "DATABASE", "name": "RAW"},
                    {"privilege": "USAGE", "granted_on": "ROLE", "name": "OTHER"},
                    {"privilege": "USAGE", "granted_on": "DATABASE", "name": "SHARED"},
                ]
            },
            SHOW_DATABASES=[{"name": "SHARED", "origin": "ORG.SHARE", "kind": "IMPORTED DATABASE"}],
            SHOW_RESOURCE_MONITORS=[
                {"name": "M", "credit_quota": "2.50", "frequency": "MONTHLY", "notify_at": "", "suspend_at": ""}
            ],
        )

        found = export_access.export(export.Reader(read), export.USUAL, {})
        assert found.document["resource_monitors"] == [{"name": "M", "frequency": "monthly"}]
        assert found.document["grants"] == [
            {"role": "R", "privileges": ["IMPORTED PRIVILEGES"], "type": "database", "name": "SHARED"}
        ]
        reasons = {item["kind"]: item["reason"] for item in found.left_out}
        assert reasons["resource monitor"] == "credit_quota: 2.50 is not a whole number, which the option is"
        assert {item["name"].split()[2] for item in found.left_out if item["kind"] == "grant"} == {"function", "moon"}

    def test_what_is_snowflakes_own_is_not_ours(self):
        read = self.rows(
            SHOW_DATABASES=[
                {"name": "SNOWFLAKE", "origin": "SNOWFLAKE.ACCOUNT_USAGE", "kind": "APPLICATION"},
                {"name": "SHARED", "origin": "ORG.SHARE", "kind": "IMPORTED DATABASE"},
                {"name": "RAW", "origin": "", "kind": "STANDARD"},
            ],
            SHOW_SCHEMAS=[
                {"name": name, "database_name": database}
                for database in ("SNOWFLAKE", "RAW")
                for name in ("PUBLIC", "INFORMATION_SCHEMA")
            ],
            SHOW_WAREHOUSES=[{"name": "SYSTEM$STREAMLIT_NOTEBOOK_WH"}],
            SHOW_USERS=[{"name": "SNOWFLAKE", "has_rsa_public_key": "false"}],
        )
        found = export_access.export(export.Reader(read), export.USUAL, {}).document
        assert [item["name"] for item in found["databases"]] == ["RAW"]
        assert [item["name"] for item in found["schemas"]] == ["RAW.PUBLIC"]
        assert (found["warehouses"], found["users"]) == ([], [])
