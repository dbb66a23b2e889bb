# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Snowflake modules against an account in memory: create, repeat, change, drop, and no write in check mode."""

from __future__ import annotations

import importlib
import socket
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake import apply, client
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.arguments import OBJECTS
from ansible_collections.thehanger.platform.plugins.modules import snowflake_account
from snowflake_fake import FakeAccount, FakeError
from snowflake_runner import MODULES, ModuleFailed, Runner, curve_key, private_pem, public_pem, rsa_key

MANAGING = Path(snowflake_account.__file__).parent.glob("snowflake_*.py")
NAMES = sorted(path.stem for path in MANAGING if path.stem not in ("snowflake_info", "snowflake_query"))


@pytest.fixture(scope="module")
def key():
    return rsa_key()


@pytest.fixture
def account(monkeypatch):
    fake = FakeAccount()
    monkeypatch.setattr(client, "_connector", fake)
    monkeypatch.setattr(client, "check_reachable", lambda connection: None)
    return fake


@pytest.fixture
def run(account, key, tmp_path, capsys):
    path = tmp_path / "key.p8"
    path.write_bytes(private_pem(key))
    return Runner(account, path, capsys)


@pytest.fixture
def platform(key):
    grants = [
        {"role": "LOADER", "privileges": ["USAGE"], "type": "warehouse", "name": "LOADING"},
        {"role": "LOADER", "privileges": ["USAGE", "CREATE SCHEMA"], "type": "database", "name": "RAW"},
        {"role": "READER", "privileges": ["USAGE"], "type": "schema", "all_in": "RAW"},
        {"role": "READER", "privileges": ["USAGE"], "type": "schema", "future_in": "RAW"},
        {"role": "READER", "privileges": ["SELECT"], "type": "table", "all_in": "RAW"},
        {"role": "READER", "privileges": ["SELECT"], "type": "table", "future_in": "RAW.gym"},
    ]
    return {
        "warehouses": [{"name": "LOADING", "comment": "Airbyte's"}],
        "databases": [{"name": "RAW"}],
        "schemas": [{"name": "RAW.GYM"}, {"name": 'RAW."lower case"'}],
        "roles": [{"name": "LOADER", "granted_to": ["SYSADMIN"]}, {"name": "READER"}],
        "users": [
            {
                "name": "AIRBYTE",
                "rsa_public_key": public_pem(key),
                "default_role": "LOADER",
                "default_namespace": "RAW.GYM",
                "roles": ["LOADER", "READER"],
            }
        ],
        "grants": grants,
    }


class TestAccount:
    def test_creates_everything_and_repeats_without_a_write(self, run, account, platform):
        planned = run("snowflake_account", check_mode=True, **platform)
        assert planned["changed"]
        applied = run("snowflake_account", **platform)
        assert applied["statements"] == planned["statements"] == account.writes
        assert applied["diff"] == planned["diff"]
        again = run("snowflake_account", **platform)
        assert (again["changed"], again["plan"], again["diff"], account.writes) == (False, [], [], [])

    def test_the_description_is_not_sent_back(self, run, account, platform):
        sent_back = run("snowflake_account", **platform)["invocation"]["module_args"]
        assert sent_back["user"] == "PROVISIONER"
        assert platform.keys() & sent_back.keys() == set()

    def test_an_empty_comment_beside_a_key_is_no_change(self, run, account, platform):
        platform["users"][0]["comment"] = ""
        run("snowflake_account", **platform)
        again = run("snowflake_account", **platform)
        assert (again["changed"], again["statements"]) == (False, [])

    def test_logs_in_once_with_timeouts_and_a_tag(self, run, account, platform):
        run("snowflake_account", role="ACCOUNTADMIN", **platform)
        (login,) = account.logins
        assert login["session_parameters"] == {"QUERY_TAG": "thehanger.platform.snowflake_account"}
        assert (login["login_timeout"], login["network_timeout"], login["role"]) == (30, 120, "ACCOUNTADMIN")
        assert (login["host"], login["port"]) == ("myorg-gym.snowflakecomputing.com", 443)

    def test_the_difference_is_per_object(self, run, platform):
        differences = run("snowflake_account", check_mode=True, **platform)["diff"]
        found = {item["after_header"]: item["after"] for item in differences}
        assert found["warehouse LOADING"]["size"] == "XSMALL"
        assert found["user AIRBYTE"]["rsa_public_key"].startswith("SHA256:")
        assert found["roles of user AIRBYTE"] == {"roles": ["LOADER", "READER"]}
        assert found["grants to role READER"] == {
            "grants": [
                "SELECT on future tables in schema RAW.GYM",
                "USAGE on future schemas in database RAW",
                'USAGE on schema RAW."lower case"',
                "USAGE on schema RAW.GYM",
                "USAGE on schema RAW.PUBLIC",
            ]
        }

    def test_repairs_what_drifted_and_leaves_what_is_not_listed(self, run, account, platform):
        run("snowflake_account", **platform)
        account.objects["WAREHOUSE"][("LOADING",)]["WAREHOUSE_SIZE"] = "XXLARGE"
        account.objects["WAREHOUSE"][("MINE",)] = account.objects["WAREHOUSE"][("LOADING",)]
        account.grants = {row for row in account.grants if row[:2] != ("LOADER", "CREATE SCHEMA")}
        account.grants.add(("LOADER", "MODIFY", "DATABASE", ("RAW",)))
        account.objects["TABLE"][("RAW", "GYM", "MEMBERS")] = {}
        platform["warehouses"][0]["size"] = "X-Small"
        assert run("snowflake_account", **platform)["statements"] == [
            'ALTER WAREHOUSE "LOADING" SET WAREHOUSE_SIZE = XSMALL',
            'GRANT CREATE SCHEMA ON DATABASE "RAW" TO ROLE "LOADER"',
            'GRANT SELECT ON ALL TABLES IN DATABASE "RAW" TO ROLE "READER"',
        ]
        assert not run("snowflake_account", **platform)["changed"]

    def test_drops_only_what_is_named(self, run, account, platform):
        run("snowflake_account", **platform)
        result = run("snowflake_account", databases=[{"name": "RAW", "state": "absent"}])
        assert account.writes == result["statements"] == ['DROP DATABASE "RAW"']
        assert not run("snowflake_account", databases=[{"name": "RAW", "state": "absent"}])["changed"]

    def test_a_failure_in_the_middle_says_what_was_done(self, run, account, platform):
        account.refuse = lambda sql: (
            "Insufficient privileges to operate on account" if sql.startswith("CREATE U") else None
        )
        with pytest.raises(
            ModuleFailed,
            match=r"create user AIRBYTE: needs CREATE USER on the account\. Insufficient privileges.*lacks the priv",
        ) as failed:
            run("snowflake_account", **platform)
        result = failed.value.result
        assert result["changed"]
        assert result["applied"] == account.writes[:-1]
        assert result["failed_statement"] == account.writes[-1]
        assert result["not_applied"][0] == 'GRANT ROLE "LOADER" TO ROLE "SYSADMIN"'
        account.refuse = lambda sql: None
        assert run("snowflake_account", **platform)["statements"][0].startswith("CREATE USER")

    def test_what_is_missing_stops_before_any_change_but_only_warns_in_check_mode(self, run, account, platform):
        del platform["roles"]
        with pytest.raises(ModuleFailed, match=r"Nothing was changed\. users\[0\]\.roles\[0\]: role LOADER does not"):
            run("snowflake_account", **platform)
        assert account.writes == []
        assert run("snowflake_account", check_mode=True, **platform)["warnings"]


class TestSingleModules:
    def test_each_takes_its_list(self, run, account, platform):
        for name, kind in zip(
            ("role", "warehouse", "database", "schema", "user", "grants"),
            ("roles", "warehouses", "databases", "schemas", "users", "grants"),
            strict=True,
        ):
            options = {kind: platform[kind]}
            assert run(f"snowflake_{name}", check_mode=True, **options)["changed"]
            assert run(f"snowflake_{name}", **options)["changed"]
            assert not run(f"snowflake_{name}", **options)["changed"]
        assert not run("snowflake_account", **platform)["changed"]

    def test_a_new_key_is_a_change(self, run, platform):
        run("snowflake_account", **platform)
        user = {"name": "AIRBYTE", "rsa_public_key": public_pem(rsa_key())}
        (difference,) = run("snowflake_user", users=[user])["diff"]
        assert difference["before"]["rsa_public_key"] != difference["after"]["rsa_public_key"]
        assert not run("snowflake_user", users=[user])["changed"]

    def test_revokes(self, run, account, platform):
        run("snowflake_account", **platform)
        gone = {**platform["grants"][5], "state": "absent"}
        assert run("snowflake_grants", grants=[gone])["statements"] == [
            'REVOKE SELECT ON FUTURE TABLES IN SCHEMA "RAW"."GYM" FROM ROLE "READER"'
        ]
        assert not run("snowflake_grants", grants=[gone])["changed"]

    def test_suspends_and_resumes_by_statements_of_their_own(self, run, account):
        run("snowflake_warehouse", warehouses=[{"name": "W", "initially_suspended": False}])
        asleep = [{"name": "W", "suspended": True, "comment": "asleep"}]
        planned = run("snowflake_warehouse", check_mode=True, warehouses=asleep)
        assert planned["statements"] == [
            """ALTER WAREHOUSE "W" SET COMMENT = 'asleep'""",
            'ALTER WAREHOUSE "W" SUSPEND',
        ]
        (difference,) = planned["diff"]
        assert (difference["before"]["suspended"], difference["after"]["suspended"]) == (False, True)
        assert run("snowflake_warehouse", warehouses=asleep)["statements"] == planned["statements"]
        assert not run("snowflake_warehouse", warehouses=asleep)["changed"]
        assert not run("snowflake_warehouse", warehouses=[{"name": "W"}])["changed"]
        awake = [{"name": "W", "suspended": False}]
        assert run("snowflake_warehouse", warehouses=awake)["statements"] == ['ALTER WAREHOUSE "W" RESUME IF SUSPENDED']
        assert not run("snowflake_warehouse", warehouses=awake)["changed"]

    @pytest.mark.parametrize(
        ("options", "statements"),
        [
            ({"suspended": True}, []),
            ({"suspended": False}, ['ALTER WAREHOUSE "W" RESUME IF SUSPENDED']),
            ({"suspended": True, "initially_suspended": False}, ['ALTER WAREHOUSE "W" SUSPEND']),
        ],
    )
    def test_a_new_warehouse_is_suspended_or_not_as_asked(self, run, options, statements):
        warehouses = [{"name": "W", **options}]
        assert run("snowflake_warehouse", warehouses=warehouses)["statements"][1:] == statements
        assert not run("snowflake_warehouse", warehouses=warehouses)["changed"]

    def test_a_warehouse_that_fell_asleep_meanwhile_is_as_it_should_be(self, run, account):
        run("snowflake_warehouse", warehouses=[{"name": "W", "initially_suspended": False}])

        def fall_asleep(sql):
            if sql.endswith("SUSPEND"):
                account.objects["WAREHOUSE"][("W",)]["INITIALLY_SUSPENDED"] = "TRUE"

        account.refuse = fall_asleep
        assert not run("snowflake_warehouse", warehouses=[{"name": "W", "suspended": True}]).get("failed")

    def test_there_is_no_password(self, run):
        with pytest.raises(ModuleFailed, match=r"Unsupported parameters.*users\.password"):
            run("snowflake_user", users=[{"name": "U", "password": "x"}])

    @pytest.mark.parametrize("text", ["x'; DROP ROLE LOADER; --", "back\\slash", "it's", 'a "b"', "line\nline"])
    def test_text_stays_text(self, run, account, text):
        run("snowflake_role", roles=[{"name": "R", "comment": text}])
        assert account.objects["ROLE"][("R",)]["COMMENT"] == text
        assert not run("snowflake_role", roles=[{"name": "R", "comment": text}])["changed"]


class TestQuery:
    def test_returns_rows(self, run):
        result = run("snowflake_query", check_mode=True, statements=["SELECT 1", "SHOW ROLES"])
        assert result["results"][0] == {"statement": "SELECT 1", "rows": [{"A": "1"}]}
        assert result["rows"][0]["name"] == "ACCOUNTADMIN"
        assert not result["changed"]

    @pytest.mark.parametrize(
        "statement", ["DROP TABLE t", "insert into t select 1", "/* select */ CALL p()", "", "USE ROLE R"]
    )
    def test_refuses_what_does_not_read(self, run, account, statement):
        with pytest.raises(ModuleFailed, match=r"statements\[1\]: only SELECT"):
            run("snowflake_query", statements=["SELECT 1", statement])
        assert account.logins == []

    def test_values_can_be_carried(self):
        row = {
            "n": Decimal("5"),
            "d": Decimal("1.50"),
            "b": b"\x01",
            "t": datetime(2026, 1, 2, 3),
            "e": date(2026, 1, 2),
        }
        assert apply.portable(row) == {"n": 5, "d": "1.50", "b": "01", "t": "2026-01-02T03:00:00", "e": "2026-01-02"}


class TestConnection:
    def test_a_missing_key_says_how_to_make_one(self, run, account, tmp_path):
        missing = tmp_path / "no.p8"
        with pytest.raises(ModuleFailed, match=f"private_key_path {missing} does not exist. Make one with: openssl"):
            run("snowflake_query", private_key_path=str(missing), statements=["SELECT 1"])

    def test_no_key_names_the_variable(self, run, monkeypatch):
        with pytest.raises(ModuleFailed, match="SNOWFLAKE_PRIVATE_KEY_PATH"):
            run("snowflake_query", private_key_path=None, statements=["SELECT 1"])

    @pytest.mark.parametrize(
        ("content", "passphrase", "reason"),
        [
            (lambda: private_pem(rsa_key(), "pw"), None, "is encrypted"),
            (lambda: private_pem(rsa_key(), "pw"), "no", "passphrase is wrong"),
            (lambda: private_pem(rsa_key()), "pw", "is not encrypted"),
            (lambda: b"nonsense", None, "not a private key in PEM"),
            (lambda: private_pem(curve_key()), None, "not an RSA key"),
        ],
    )
    def test_an_unusable_key_is_explained(self, run, content, passphrase, reason):
        options = {"private_key_content": content().decode(), "private_key_passphrase": passphrase}
        with pytest.raises(ModuleFailed, match=reason):
            run("snowflake_query", statements=["SELECT 1"], **options)

    def test_an_encrypted_key_works_with_its_passphrase(self, run, account):
        content = private_pem(rsa_key(), "open sesame").decode()
        run(
            "snowflake_query",
            statements=["SELECT 1"],
            private_key_content=content,
            private_key_passphrase="open sesame",
        )
        assert account.logins

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"protocol": "http", "host": "8.8.8.8"}, "http would send tokens in clear to 8.8.8.8"),
            ({"host": "https://x.y"}, "without scheme and path"),
            ({"account": "a b"}, "is not an account identifier"),
            ({"port": 0}, "port: 0 is not between"),
            ({"login_timeout": 0}, "login_timeout: at least one second"),
            ({"role": "a b"}, "role: 'a b' is not a name"),
            ({"user": "a.b"}, "user: 'a.b' has 2 parts"),
        ],
    )
    def test_bad_options_are_named(self, run, account, options, reason):
        with pytest.raises(ModuleFailed, match=reason):
            run("snowflake_query", statements=["SELECT 1"], **options)
        assert account.logins == []

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (
                "250001 (08001): 390144 (08004): JWT token is invalid.",
                "refused the key of user",
            ),
            ("250001 (08001): Failed to connect to DB: Role 'X' 390189", "Role ACCOUNTADMIN is not granted to user"),
            (
                "250001: Could not connect to Snowflake backend after 2 attempt(s)",
                "No usable answer to the login of user PROVISIONER",
            ),
        ],
    )
    def test_a_refused_login_is_explained(self, run, account, monkeypatch, answer, reason):
        def refuse(**settings):
            raise FakeError(250001, answer)

        monkeypatch.setattr(account, "connect", refuse)
        with pytest.raises(ModuleFailed, match=reason) as failed:
            run("snowflake_query", statements=["SELECT 1"], role="ACCOUNTADMIN")
        if "390144" in answer:
            assert "SHA256:" in str(failed.value)

    def test_nobody_listening_fails_at_once(self, account, key, tmp_path, capsys, monkeypatch):
        monkeypatch.undo()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        path = tmp_path / "key.p8"
        path.write_bytes(private_pem(key))
        run = Runner(account, path, capsys)
        with pytest.raises(ModuleFailed, match=rf"does not answer at http://127\.0\.0\.1:{port}.*refused"):
            run("snowflake_query", statements=["SELECT 1"], host="127.0.0.1", port=port, protocol="http")

    def test_a_missing_connector_is_named(self, run, monkeypatch):
        monkeypatch.setattr(client, "IMPORT_ERROR", ImportError("No module named 'snowflake'"))
        with pytest.raises(ModuleFailed, match="snowflake-connector-python"):
            run("snowflake_query", statements=["SELECT 1"])


class TestDocumentation:
    @pytest.mark.parametrize("name", [*NAMES, "snowflake_query"])
    def test_the_examples_run(self, run, key, name):
        examples = yaml.safe_load(importlib.import_module(f"{MODULES}.{name}").EXAMPLES)
        for task in examples:
            options = task.get(f"thehanger.platform.{name}")
            if options is None:
                continue
            for user in options.get("users", []):
                user["rsa_public_key"] = public_pem(key)
            run(name, check_mode=True, **{**options, "private_key_path": str(run.key_file)})

    def test_every_kind_has_its_module(self):
        assert len(OBJECTS) == len(NAMES), "a module for each option, snowflake_account; exclusive goes with grants"


def test_check_mode_refuses_to_write_by_itself(run, account, key):
    with (
        pytest.raises(client.ClosedToWritesError),
        client.Client(_connection(key), tag="t", writes=False) as session,
    ):
        session.write('DROP ROLE "R"')
    assert account.statements == []


def _connection(key):
    return client.Connection(
        account="a", user="U", host="h", port=443, protocol="https", key=private_pem(key), source="test"
    )
