# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of every Snowflake module as they stand, by ansible-playbook against an emulated account, twice.

Only the environment says where the account is: its name, its user and the places of the keys are the examples' own.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import COLLECTIONS
from snowflake_lab import make_key, run_module, running
from snowflake_runner import MODULES

pytest.importorskip("hanger_lab.snowflake.server")
connector = pytest.importorskip("snowflake.connector")

PREFIX = "thehanger.platform."
NAMES = sorted(path.stem for path in (Path(COLLECTIONS, *MODULES.split("."))).glob("snowflake_*.py"))
# What the examples take for granted, in options of snowflake_account; and tables, which no module makes.
EXISTING = {
    "warehouses": [{"name": "LOADING"}, {"name": "TRANSFORMING"}, {"name": "REPORTING"}],
    "databases": [{"name": "RAW"}, {"name": "ANALYTICS"}, {"name": "GOVERNANCE"}],
    "schemas": [
        {"name": name}
        for name in (
            "RAW.THEHANGERDB",
            "ANALYTICS.STAGING",
            "ANALYTICS.MARTS",
            "GOVERNANCE.NETWORK",
            "GOVERNANCE.POLICIES",
            "GOVERNANCE.TAGS",
        )
    ],
    "roles": [
        {"name": "LOADER", "granted_to": ["SYSADMIN"]},
        {"name": "TRANSFORMER", "granted_to": ["SYSADMIN"]},
        {"name": "REPORTER"},
    ],
    "users": [{"name": "AIRBYTE", "roles": ["TRANSFORMER"]}, {"name": "SUPERSET", "roles": ["REPORTER"]}],
    "network_rules": [
        {"name": "GOVERNANCE.NETWORK.OFFICE", "type": "ipv4", "mode": "ingress", "value_list": ["10.0.0.0/8"]}
    ],
    "network_policies": [{"name": "ANYWHERE", "allowed_ip_list": ["0.0.0.0/0"], "users": ["SUPERSET"]}],
    "storage_integrations": [
        {
            "name": "LANDING",
            "provider": "S3",
            "aws_role_arn": "arn:aws:iam::123456789012:role/another",
            "allowed_locations": ["s3://thehanger-landing/"],
        }
    ],
    "file_formats": [{"name": "RAW.THEHANGERDB.EXPORT", "type": "csv"}],
    "grants": [
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "warehouse", "name": "TRANSFORMING"},
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "database", "name": "RAW"},
        {"role": "TRANSFORMER", "privileges": ["USAGE"], "type": "schema", "name": "RAW.THEHANGERDB"},
        {"role": "TRANSFORMER", "privileges": ["SELECT"], "type": "table", "future_in": "RAW.THEHANGERDB"},
        {"role": "REPORTER", "privileges": ["SELECT"], "type": "table", "future_in": "ANALYTICS.MARTS"},
    ],
}
TABLES = ("RAW.THEHANGERDB.MEMBERS", "ANALYTICS.MARTS.SALARIES")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    directory = tmp_path_factory.mktemp("home")
    (directory / ".snowflake").mkdir()
    for name in ("hanger_provisioner", "airbyte", "dbt"):
        make_key(directory / ".snowflake" / f"{name}.p8")
    return directory


@pytest.fixture(scope="module")
def lab(tmp_path_factory, home):
    key = home / ".snowflake" / "hanger_provisioner.p8"
    with running(tmp_path_factory.mktemp("account"), key, account="myorg-myaccount") as started:
        yield started


@pytest.fixture
def existing(lab, capsys):
    """Make what the examples take for granted; what one of them dropped stands again for the next."""
    run_module(capsys, "snowflake_account", **lab.login, **EXISTING)
    login = {key: value for key, value in lab.login.items() if key != "private_key_path"}
    with connector.connect(**login, private_key_file=str(lab.key)) as session:
        for table in TABLES:
            session.cursor().execute(f"CREATE TABLE IF NOT EXISTS {table} (ID INT)")


def tasks(name):
    """Return the examples, each followed by itself and by the claim that it changed nothing then."""
    for number, task in enumerate(yaml.safe_load(importlib.import_module(f"{MODULES}.{name}").EXAMPLES)):
        yield task
        if any(key.startswith(f"{PREFIX}snowflake_") for key in task):
            yield {**task, "name": f"{task['name']} again", "register": task.get("register", f"again_{number}")}
            yield {
                "name": f"{task['name']}: nothing changed",
                "ansible.builtin.assert": {"that": [f"{task.get('register', f'again_{number}')} is not changed"]},
            }


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("name", NAMES)
def test_examples_run_as_they_stand_and_change_nothing_again(name, lab, home, tmp_path):
    play = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks(name))}
    assert len(play["tasks"]) >= 3
    book = tmp_path / "examples.yml"
    book.write_text(yaml.safe_dump([play], sort_keys=False))
    configuration = tmp_path / "ansible.cfg"
    configuration.touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SNOWFLAKE_"))}
    result = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", str(book)],
        env={
            **environment,
            "HOME": str(home),
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(lab.port),
            "SNOWFLAKE_PROTOCOL": "http",
        },
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "failed=0" in result.stdout
    assert "skipped=0" in result.stdout


def test_every_module_is_in_the_action_group():
    groups = yaml.safe_load(Path(COLLECTIONS, *MODULES.split(".")[:3], "meta", "runtime.yml").read_text())[
        "action_groups"
    ]
    assert sorted(groups["snowflake"]) == NAMES
