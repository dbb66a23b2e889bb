# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways of logging in with the real connector to an emulated account, which checks them."""

from __future__ import annotations

import pytest
from snowflake_lab import run_module, running
from snowflake_runner import ModuleFailed

connector = pytest.importorskip("snowflake.connector")
ASK = {"statements": ["SELECT CURRENT_USER() AS WHO"]}
PASSWORD = "correct-Horse-battery-9"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("account")) as started:
        yield started


@pytest.fixture
def ask(lab, capsys):
    """Ask who is logged in, with other means than the administrator's key."""

    def call(**options):
        there = {name: value for name, value in lab.login.items() if name not in ("private_key_path", "role", "user")}
        (row,) = run_module(capsys, "snowflake_query", **{**there, **ASK, **options})["rows"]
        return row["WHO"]

    return call


@pytest.fixture
def token(lab, capsys, tmp_path):
    path = tmp_path / "token"
    policy = {"name": "ANYWHERE", "allowed_ip_list": ["0.0.0.0/0"], "users": ["ROBOT"]}
    people = {"roles": [{"name": "R"}], "users": [{"name": "ROBOT", "roles": ["R"]}], "network_policies": [policy]}
    run_module(capsys, "snowflake_account", **lab.login, **people)
    tokens = [{"user": "ROBOT", "name": "T", "role_restriction": "R", "path": str(path)}]
    run_module(capsys, "snowflake_token", **lab.login, tokens=[{"user": "ROBOT", "name": "T", "state": "absent"}])
    run_module(capsys, "snowflake_token", **lab.login, tokens=tokens)
    return path


@pytest.fixture
def person(lab):
    login = {name: value for name, value in lab.login.items() if name != "private_key_path"}
    with connector.connect(**login, private_key_file=str(lab.key)) as session:
        session.cursor().execute(f"CREATE OR REPLACE USER ANA TYPE = PERSON PASSWORD = '{PASSWORD}'")
    return "ANA"


def test_a_token_from_its_file(ask, token):
    assert ask(user="ROBOT", token_file_path=str(token)) == "ROBOT"


def test_a_token_that_is_none(ask, token):
    with pytest.raises(ModuleFailed, match="refused the programmatic access token of user ROBOT") as failed:
        ask(user="ROBOT", token=f"{token.read_text()[:-4]}abcd")
    assert token.read_text()[:-4] not in str(failed.value.result)


def test_a_password_of_a_person(ask, person):
    assert ask(user=person, password=PASSWORD) == "ANA"


def test_a_password_that_is_wrong(ask, person):
    with pytest.raises(ModuleFailed, match="refused the password of user ANA"):
        ask(user=person, password="another")


def test_a_connection_of_the_file(ask, person, lab, tmp_path, monkeypatch):
    path = tmp_path / "connections.toml"
    path.write_text(f'[lab]\naccount = "{lab.account}"\nuser = "{person}"\npassword = "{PASSWORD}"\n')
    path.chmod(0o600)
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path))
    assert ask(account=None, connection_name="lab") == "ANA"
