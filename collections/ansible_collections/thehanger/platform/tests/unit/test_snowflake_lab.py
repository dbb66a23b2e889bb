# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Snowflake modules with the real connector against the lab's emulated account, where hanger_lab is installed."""

from __future__ import annotations

import importlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from ansible.module_utils.testing import patch_module_args
from snowflake_lab import PYTHON
from snowflake_runner import MODULES, private_pem, public_pem, rsa_key

PLATFORM = {
    "resource_monitors": [
        {
            "name": '"of the month"',
            "credit_quota": 10,
            "frequency": "monthly",
            "triggers": [{"at": 80, "do": "notify"}, {"at": 110, "do": "suspend_immediate"}],
        }
    ],
    "warehouses": [
        {
            "name": "LOADING",
            "size": "XSMALL",
            "auto_suspend": 60,
            "resource_monitor": '"of the month"',
            "comment": "Airbyte's",
        }
    ],
    "databases": [{"name": "RAW", "comment": "Landing"}, {"name": '"lower case"'}],
    "schemas": [{"name": "RAW.THEHANGERDB"}, {"name": '"lower case"."a.b"'}],
    "roles": [
        {"name": "LOADER", "granted_to": ["SYSADMIN"]},
        {"name": "TRANSFORMER", "granted_to": ["SYSADMIN"], "comment": "Reads RAW"},
    ],
    "grants": [
        {"role": "LOADER", "privileges": ["USAGE"], "type": "warehouse", "name": "LOADING"},
        {"role": "LOADER", "privileges": ["USAGE", "CREATE SCHEMA"], "type": "database", "name": "RAW"},
        {"role": "LOADER", "privileges": ["CREATE DATABASE"], "type": "account"},
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "database", "name": "RAW"},
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "schema", "all_in": "RAW"},
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "schema", "future_in": "RAW"},
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "schema", "name": '"lower case"."a.b"'},
        {"role": "TRANSFORMER", "privileges": ["SELECT"], "type": "table", "all_in": "RAW"},
        {"role": "TRANSFORMER", "privileges": ["SELECT"], "type": "table", "future_in": "RAW"},
        {"role": "TRANSFORMER", "privileges": ["SELECT"], "type": "view", "future_in": "RAW.THEHANGERDB"},
    ],
}


class ModuleFailed(Exception):
    pass


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    made = {}
    for name in ("provisioner", "airbyte", "stranger"):
        key = rsa_key()
        made[name] = directory / f"{name}.p8"
        made[name].write_bytes(private_pem(key))
        made[name].with_suffix(".pub").write_text(public_pem(key))
    return made


@pytest.fixture(scope="module")
def port(tmp_path_factory, keys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    options = {
        "bind": "127.0.0.1",
        "port": number,
        "data-dir": tmp_path_factory.mktemp("account"),
        "account": "HANGERLAB",
        "admin-user": "HANGER_PROVISIONER",
        "admin-public-key": keys["provisioner"].with_suffix(".pub"),
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    server = subprocess.Popen([PYTHON, "-m", "hanger_lab.snowflake", "serve", *words])
    try:
        wait_until_healthy(server, number)
        yield number
    finally:
        server.terminate()
        server.wait(10)


def wait_until_healthy(server, port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail("the emulated account did not start")


@pytest.fixture
def run(port, keys, capsys):
    def call(name, check_mode=False, **options):
        given = {
            "account": "HANGERLAB",
            "user": "HANGER_PROVISIONER",
            "host": "127.0.0.1",
            "port": port,
            "protocol": "http",
            "role": "ACCOUNTADMIN",
            "private_key_path": str(keys["provisioner"]),
            "_ansible_check_mode": check_mode,
            "_ansible_module_name": name,
            **options,
        }
        capsys.readouterr()
        with patch_module_args(given), pytest.raises(SystemExit):
            importlib.import_module(f"{MODULES}.{name}").main()
        result = json.loads(capsys.readouterr().out)
        if result.get("failed"):
            raise ModuleFailed(result["msg"])
        return result

    return call


@pytest.fixture
def platform(keys):
    user = {
        "name": "AIRBYTE",
        "rsa_public_key": keys["airbyte"].with_suffix(".pub").read_text(),
        "roles": ["LOADER"],
        "default_role": "LOADER",
        "default_warehouse": "LOADING",
        "default_namespace": "RAW.THEHANGERDB",
    }
    return {**PLATFORM, "users": [user]}


class TestEmulatedAccount:
    """One story, in order: check, apply, repeat, log in, drift, drop."""

    def test_check_mode_on_an_empty_account_changes_nothing(self, run, platform):
        planned = run("snowflake_account", check_mode=True, **platform)
        assert planned["changed"]
        databases = run("snowflake_query", statements=["SHOW DATABASES"])["rows"]
        assert "RAW" not in [row["name"] for row in databases]

    def test_applies_what_was_planned_and_then_changes_nothing(self, run, platform):
        planned = run("snowflake_account", check_mode=True, **platform)
        assert run("snowflake_account", **platform)["statements"] == planned["statements"]
        again = run("snowflake_account", **platform)
        assert (again["changed"], again["statements"]) == (False, [])

    def test_the_service_user_logs_in_with_its_key_and_no_other(self, run, keys):
        who = {
            "user": "AIRBYTE",
            "role": "LOADER",
            "statements": ["SELECT CURRENT_ROLE() AS ROLE, CURRENT_USER() AS WHO"],
        }
        result = run("snowflake_query", private_key_path=str(keys["airbyte"]), **who)
        assert result["rows"] == [{"ROLE": "LOADER", "WHO": "AIRBYTE"}]
        with pytest.raises(ModuleFailed, match="refused the key of user AIRBYTE"):
            run("snowflake_query", private_key_path=str(keys["stranger"]), **who)

    def test_a_role_that_is_not_granted_is_refused(self, run, keys):
        with pytest.raises(ModuleFailed, match="Role ACCOUNTADMIN is not granted to user AIRBYTE"):
            run("snowflake_query", user="AIRBYTE", private_key_path=str(keys["airbyte"]), statements=["SELECT 1"])

    def test_repairs_a_changed_warehouse(self, run, platform):
        run("snowflake_warehouse", warehouses=[{"name": "LOADING", "size": "MEDIUM", "auto_suspend": 0}])
        result = run("snowflake_account", **platform)
        assert result["statements"] == ['ALTER WAREHOUSE "LOADING" SET WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60']

    def test_moves_the_triggers_of_a_monitor_and_frees_a_warehouse_of_it(self, run, platform):
        (monitor,) = platform["resource_monitors"]
        moved = {**monitor, "triggers": [{"at": 90, "do": "suspend"}]}
        result = run("snowflake_resource_monitor", resource_monitors=[moved])
        assert result["statements"] == [
            'ALTER RESOURCE MONITOR "of the month" TRIGGERS ON 90 PERCENT DO SUSPEND',
        ]
        assert not run("snowflake_resource_monitor", resource_monitors=[moved])["changed"]
        more = {**monitor, "credit_quota": 20, "frequency": "daily"}
        assert run("snowflake_resource_monitor", resource_monitors=[more])["changed"]
        assert not run("snowflake_resource_monitor", resource_monitors=[more])["changed"]
        free = [{"name": "LOADING", "resource_monitor": ""}]
        assert run("snowflake_warehouse", warehouses=free)["statements"] == [
            'ALTER WAREHOUSE "LOADING" UNSET RESOURCE_MONITOR'
        ]
        assert not run("snowflake_warehouse", warehouses=free)["changed"]

    def test_every_property_settles_when_it_is_set_changed_and_removed(self, run, keys):
        name = "SETTLES"
        public = keys["stranger"].with_suffix(".pub").read_text()
        steps = [
            {
                "warehouses": [{"name": name, "min_clusters": 1, "max_clusters": 2, "scaling_policy": "economy"}],
                "databases": [{"name": name, "data_retention_days": 0}],
                "schemas": [{"name": f"{name}.S", "managed_access": True, "data_retention_days": 1}],
                "users": [
                    {"name": name, "rsa_public_key_2": public, "login_name": "Settles.Login", "email": "s@example.com"}
                ],
            },
            {
                "warehouses": [{"name": name, "max_clusters": 3, "scaling_policy": "standard"}],
                "databases": [{"name": name, "data_retention_days": 1}],
                "schemas": [{"name": f"{name}.S", "managed_access": False}],
                "users": [{"name": name, "rsa_public_key": public, "rsa_public_key_2": "", "display_name": "S"}],
            },
            {kind: [{"name": name, "state": "absent"}] for kind in ("users", "databases", "warehouses")},
        ]
        for step in steps:
            planned = run("snowflake_account", check_mode=True, **step)
            assert run("snowflake_account", **step)["statements"] == planned["statements"] != []
            again = run("snowflake_account", **step)
            assert (again["changed"], again["diff"]) == (False, [])

    def test_takes_a_privilege_back(self, run):
        gone = {"role": "LOADER", "privileges": ["CREATE DATABASE"], "type": "account", "state": "absent"}
        assert run("snowflake_grants", grants=[gone])["changed"]
        assert not run("snowflake_grants", grants=[gone])["changed"]

    def test_gives_the_account_back_clean(self, run, platform):
        gone = {
            kind: [{"name": item["name"], "state": "absent"} for item in platform[kind]]
            for kind in ("resource_monitors", "warehouses", "databases", "schemas", "roles", "users")
        }
        assert run("snowflake_account", **gone)["changed"]
        assert not run("snowflake_account", **gone)["changed"]
