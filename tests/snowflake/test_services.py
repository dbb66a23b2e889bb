"""Each service user of the platform can do what its table says it can, and is refused what the table says it cannot.

The real role applies the real inventory to an emulated account, as the deployment user that the bootstrap made.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector import DictCursor, SnowflakeConnection
from snowflake.connector.errors import Error

testing = pytest.importorskip("hanger_lab.snowflake.testing")

ROOT = Path(__file__).resolve().parent.parent.parent
INVENTORY = ROOT / "inventories/shared/group_vars/all/snowflake.yml"
USERS = {user["name"]: user for user in yaml.safe_load(INVENTORY.read_text())["snowflake_setup_users"]}
TABLE = yaml.safe_load(Path(__file__).with_name("services.yml").read_text())
DEPLOYER = "HANGER_DEPLOYER"
# Insufficient privileges; not there or not authorised, of anything and of what USE names; a role of others.
REFUSED = {3001, 2003, 2043, 3013}
# What is none of the platform's: it is out of reach, and there when the platform is gone.
FOREIGN = (
    "CREATE WAREHOUSE PRIVATE",
    "CREATE DATABASE PRIVATE",
    "CREATE SCHEMA PRIVATE.PEOPLE",
    "CREATE TABLE PRIVATE.PEOPLE.SALARIES (NAME VARCHAR, SALARY INT)",
    "CREATE ROLE OUTSIDER",
    "CREATE USER OUTSIDER TYPE = SERVICE",
    "CREATE RESOURCE MONITOR PRIVATE WITH CREDIT_QUOTA = 1",
    "CREATE NETWORK POLICY OFFICE ALLOWED_IP_LIST = ('127.0.0.0/8')",
    "CREATE NETWORK POLICY HOME ALLOWED_IP_LIST = ('127.0.0.0/8')",
)
KINDS = ("ROLES", "USERS", "DATABASES", "WAREHOUSES", "RESOURCE MONITORS", "NETWORK POLICIES", "INTEGRATIONS")
Line = dict[str, Any]


def lines(verdict: str, way: str) -> list[Any]:
    """List the lines of all users that are statements (`run`) or log-ins (`login`) as parameters of a test."""
    return [
        pytest.param(user, line, id=f"{user}-{line['why']}")
        for user, table in TABLE["users"].items()
        for line in (*table[verdict], *TABLE["everyone"][verdict])
        if way in line
    ]


@dataclass
class Platform:
    """An account that the role has prepared, and the files that belong to it."""

    account: Any
    directory: Path

    @property
    def variables(self) -> dict[str, Any]:
        """What the inventory gets from outside."""
        return {
            "ansible_python_interpreter": sys.executable,
            "hanger_secrets_directory": str(self.directory / "secrets"),
            "snowflake_setup_account": self.account.account.name,
            "snowflake_setup_host": "127.0.0.1",
            "snowflake_setup_port": self.account.port,
            "snowflake_setup_protocol": "http",
            "snowflake_setup_user": DEPLOYER,
            "snowflake_setup_role": DEPLOYER,
            "snowflake_setup_private_key_path": str(self.key(DEPLOYER)),
        }

    @property
    def person(self) -> dict[str, Any]:
        """How the person logs in who prepares the account and takes it back."""
        return {
            "snowflake_setup_bootstrap_user": self.account.user,
            "snowflake_setup_bootstrap_private_key_path": str(self.account.private_key_file),
        }

    def key(self, name: str) -> Path:
        """Say where the private key of a user is."""
        return self.directory / "secrets/snowflake" / f"{name.lower()}.p8"

    def play(self, tasks_from: str = "main", **variables: Any) -> tuple[int, str]:
        """Run the role, or an entry of it; return how many tasks changed something, and what the run said."""
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.import_role": {"name": "snowflake_setup", "tasks_from": tasks_from}}],
        }
        playbook = self.directory / f"{tasks_from}.json"
        playbook.write_text(json.dumps([play]))
        given = json.dumps({**self.variables, **variables})
        command = ["ansible-playbook", "-i", "localhost,", "-c", "local", "--diff", "-e", f"@{INVENTORY}", "-e", given]
        run = subprocess.run([*command, str(playbook)], cwd=ROOT, capture_output=True, text=True, check=False)
        changed = re.search(r"changed=(\d+)", run.stdout)
        assert run.returncode == 0 and changed, run.stdout + run.stderr
        return int(changed[1]), run.stdout

    def fill(self, user: str, text: str) -> str:
        """Put what belongs to a user into a line of the table."""
        own = {
            "USER": user,
            "ROLE": USERS[user]["default_role"],
            "WAREHOUSE": USERS[user]["default_warehouse"],
            "KEY": "".join(self.key("stranger").with_suffix(".pub").read_text().splitlines()[1:-1]),
            "FILE": str(self.directory / "rows.csv"),
        }
        return Template(text).substitute(own)

    def connect(self, user: str, key: str = "", **options: Any) -> SnowflakeConnection:
        """Log in as a user, with the user's own key unless another's or a password is named."""
        if "password" in options:
            way = {"authenticator": "SNOWFLAKE", "private_key_file": None}
        else:
            way = {"private_key_file": str(self.key(key or user))}
        return self.account.connect(user=user, **{**way, **options})

    def log_in(self, user: str, line: Line) -> SnowflakeConnection:
        """Log in as a line of the table says."""
        return self.connect(**{"user": user, **{name: self.fill(user, text) for name, text in line["login"].items()}})

    def run(self, user: str, *statements: str) -> None:
        """Run statements in a session of a user; raise what the first refused one raises."""
        with closing(self.connect(user)) as connection, closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(self.fill(user, statement))


def names(account: Any) -> dict[str, set[str]]:
    """Tell what stands in an account, by kind, and which parameters are set on the account itself."""
    found = {}
    with closing(account.connect(role="ACCOUNTADMIN")) as connection, closing(connection.cursor(DictCursor)) as cursor:
        for kind in KINDS:
            found[kind] = {row["name"] for row in cursor.execute(f"SHOW {kind}")}
        parameters = cursor.execute("SHOW PARAMETERS IN ACCOUNT").fetchall()
    return {**found, "PARAMETERS": {f"{row['key']}={row['value']}" for row in parameters if row["level"] == "ACCOUNT"}}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a directory with a key that no user has, and rows to load."""
    made = tmp_path_factory.mktemp("services")
    (made / "rows.csv").write_text("1,noon\n2,night\n")
    keys = made / "secrets/snowflake"
    keys.mkdir(parents=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    (keys / "stranger.p8").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (keys / "stranger.pub").write_bytes(
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return made


@pytest.fixture(scope="module")
def foreign(directory: Path) -> Iterator[tuple[Any, dict[str, set[str]]]]:
    """Run an account that holds what others made; yield it and what it holds."""
    with testing.running_account(directory / "account") as account:
        with closing(account.connect(role="ACCOUNTADMIN")) as connection:
            for statement in FOREIGN:
                connection.cursor().execute(statement)
        yield account, names(account)


@pytest.fixture(scope="module")
def platform(foreign: tuple[Any, Any], directory: Path) -> Platform:
    """Prepare the account as `make` does, and let the services make what the table takes as given."""
    account, _ = foreign
    prepared = Platform(account, directory)
    prepared.play("bootstrap", **prepared.person)
    prepared.play()
    for user, statements in TABLE["given"].items():
        prepared.run(user, *statements)
    return prepared


def test_every_user_of_the_inventory_has_a_table() -> None:
    assert list(TABLE["users"]) == list(USERS)
    for table in TABLE["users"].values():
        assert all(len([*table[verdict], *TABLE["everyone"][verdict]]) >= 12 for verdict in ("can", "cannot"))


def test_the_role_changes_nothing_the_second_time(platform: Platform) -> None:
    changed, text = platform.play()
    assert changed == 0, text


@pytest.mark.parametrize(("user", "line"), lines("can", "run"))
def test_can(platform: Platform, user: str, line: Line) -> None:
    run = line["run"]
    platform.run(user, *([run] if isinstance(run, str) else run))


@pytest.mark.parametrize(("user", "line"), lines("can", "login"))
def test_can_log_in(platform: Platform, user: str, line: Line) -> None:
    with closing(platform.log_in(user, line)) as connection:
        own = USERS[user]
        assert connection.user == own["name"]
        assert (connection.role, connection.warehouse) == (own["default_role"], own["default_warehouse"])


@pytest.mark.parametrize(("user", "line"), lines("cannot", "run"))
def test_cannot(platform: Platform, user: str, line: Line) -> None:
    with pytest.raises(Error) as caught:
        platform.run(user, line["run"])
    assert caught.value.errno in REFUSED, caught.value


@pytest.mark.parametrize(("user", "line"), lines("cannot", "login"))
def test_cannot_log_in(platform: Platform, user: str, line: Line) -> None:
    with pytest.raises(Error) as caught:
        platform.log_in(user, line).close()
    assert 390000 <= caught.value.errno <= 390999, caught.value


@pytest.mark.parametrize("user", TABLE["users"])
def test_what_is_refused_is_refused_for_want_of_privileges(platform: Platform, user: str, tmp_path: Path) -> None:
    """A line that fails for the administrator too, by a wrong name say, would prove nothing."""
    shutil.copytree(platform.directory / "account", tmp_path / "account")
    failures = []
    with (
        testing.running_account(tmp_path / "account") as account,
        closing(account.connect(role="ACCOUNTADMIN")) as connection,
        closing(connection.cursor()) as cursor,
    ):
        for line in (parameters.values[1] for parameters in lines("cannot", "run") if parameters.values[0] == user):
            cursor.execute("USE ROLE ACCOUNTADMIN")
            cursor.execute("USE WAREHOUSE PRIVATE")
            try:
                cursor.execute(platform.fill(user, line["run"]))
            except Error as error:
                failures.append(f"{line['run']}: {error}")
    assert not failures, "\n".join(failures)


def test_destroy_gives_the_account_back(platform: Platform, foreign: tuple[Any, dict[str, set[str]]]) -> None:
    account, before = foreign
    assert names(account) != before
    platform.play("destroy", snowflake_setup_destroy_confirm=account.account.name)
    made_by_the_bootstrap = {"ROLES": {DEPLOYER}, "USERS": {DEPLOYER}, "RESOURCE MONITORS": {"THEHANGER"}}
    left = names(account)
    assert {kind: left[kind] - before[kind] for kind in KINDS if left[kind] != before[kind]} == made_by_the_bootstrap
    platform.play("unbootstrap", **platform.person)
    assert names(account) == before
    changed, text = platform.play("unbootstrap", **platform.person)
    assert changed == 0, text
