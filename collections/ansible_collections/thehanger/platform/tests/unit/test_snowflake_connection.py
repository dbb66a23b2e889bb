# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways of logging in: what each hands to the connector, where its parts come from, and that no message shows them."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time

import pytest
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake import client
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.arguments import CONNECTION
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.connection import read_connection
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.credentials import METHODS
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.errors import SnowflakeError
from snowflake_fake import FakeAccount, FakeError
from snowflake_runner import ModuleFailed, Runner, private_pem, rsa_key

SECRET = "do-not-show-me"
BASE = {"account": "myorg-gym", "user": "ANA", "login_timeout": 30, "network_timeout": 120}
MODULE = {"private_key_path": None, "statements": ["SELECT 1"]}


@pytest.fixture
def account(monkeypatch):
    fake = FakeAccount()
    monkeypatch.setattr(client, "_connector", fake)
    monkeypatch.setattr(client, "check_reachable", lambda connection: None)
    for name in ("SNOWFLAKE_HOME", "SNOWFLAKE_DEFAULT_CONNECTION_NAME"):
        monkeypatch.delenv(name, raising=False)
    return fake


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key.p8"
    path.write_bytes(private_pem(rsa_key()))
    return path


@pytest.fixture
def run(account, key_file, capsys):
    return Runner(account, key_file, capsys)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path))

    def write(text, mode=0o600, name="connections.toml"):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)

    return write


class TestMethods:
    @pytest.mark.parametrize(
        ("options", "sent"),
        [
            ({"token": SECRET}, {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": SECRET}),
            ({"token": SECRET, "authenticator": "oauth"}, {"authenticator": "OAUTH", "token": SECRET}),
            ({"password": SECRET}, {"authenticator": "SNOWFLAKE", "password": SECRET}),
            (
                {"password": SECRET, "passcode": "123456"},
                {"authenticator": "SNOWFLAKE", "password": SECRET, "passcode": "123456"},
            ),
            (
                {"password": SECRET, "authenticator": "username_password_mfa"},
                {"authenticator": "USERNAME_PASSWORD_MFA", "password": SECRET},
            ),
        ],
    )
    def test_hands_over_one_credential_and_nothing_of_another(self, run, account, options, sent):
        run("snowflake_query", **MODULE, **options)
        (login,) = account.logins
        secrets = {"private_key", "token", "password", "passcode", "authenticator"}
        assert {name: value for name, value in login.items() if name in secrets} == sent

    def test_a_key_pair_is_what_it_was(self, run, account):
        run("snowflake_query", statements=["SELECT 1"])
        (login,) = account.logins
        assert login["authenticator"] == "SNOWFLAKE_JWT"
        assert isinstance(login["private_key"], bytes)

    @pytest.mark.parametrize("method", METHODS)
    def test_every_login_has_its_timeouts_and_its_tag(self, run, account, key_file, method):
        credential = {"private_key_path": str(key_file), "token": SECRET, "password": SECRET}
        run("snowflake_query", **{**MODULE, **credential}, authenticator=method, login_timeout=7, network_timeout=11)
        (login,) = account.logins
        assert (login["login_timeout"], login["network_timeout"], login["socket_timeout"]) == (7, 11, 7)
        assert login["session_parameters"] == {"QUERY_TAG": "thehanger.platform.snowflake_query"}
        assert login["authenticator"] == method.upper()

    def test_a_token_needs_no_user(self, run, account):
        run("snowflake_query", **MODULE, user=None, token=SECRET)
        assert "user" not in account.logins[0]

    def test_a_token_is_read_from_its_file_without_the_end_of_its_line(self, run, account, tmp_path):
        path = tmp_path / "token"
        path.write_text(f"{SECRET}\n")
        run("snowflake_query", **MODULE, token_file_path=str(path))
        assert account.logins[0]["token"] == SECRET

    @pytest.mark.parametrize(
        ("content", "reason"), [(None, "does not exist"), ("\n", "is empty"), (b"\xff", "cannot be read")]
    )
    def test_an_unusable_token_file_is_explained(self, run, tmp_path, content, reason):
        path = tmp_path / "token"
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ModuleFailed, match=rf"^token_file_path: {path} {reason}"):
            run("snowflake_query", **MODULE, token_file_path=str(path))


class TestExactlyOne:
    @pytest.mark.parametrize(
        "pair", list(itertools.combinations([{"private_key_path": "/k"}, {"token": SECRET}, {"password": SECRET}], 2))
    )
    def test_two_ways_are_named_and_refused(self, pair):
        with pytest.raises(SnowflakeError) as failed:
            read_connection({**BASE, **pair[0], **pair[1]}, environ={})
        assert all(name in failed.value.message for part in pair for name in part)
        assert "set authenticator" in failed.value.message
        assert SECRET not in failed.value.message

    def test_none_says_what_there_is(self):
        with pytest.raises(SnowflakeError, match=r"set private_key_path .*token.*password"):
            read_connection(BASE, environ={})

    def test_an_authenticator_without_its_credential_is_refused(self):
        with pytest.raises(SnowflakeError, match=r"^authenticator: oauth needs token or token_file_path"):
            read_connection({**BASE, "password": SECRET, "authenticator": "oauth"}, environ={})

    def test_the_task_wins_over_the_environment(self):
        environ = {"SNOWFLAKE_PASSWORD": "other", "SNOWFLAKE_ACCOUNT": "other", "SNOWFLAKE_AUTHENTICATOR": "oauth"}
        connection = read_connection({**BASE, "token": SECRET}, environ=environ)
        assert (connection.method, connection.account) == ("programmatic_access_token", "myorg-gym")

    def test_everything_may_stand_in_the_environment(self):
        names = ("ACCOUNT", "USER", "HOST", "ROLE", "WAREHOUSE", "PASSWORD")
        environ = {f"SNOWFLAKE_{name}": name for name in names} | {
            "SNOWFLAKE_PORT": "8443",
            "SNOWFLAKE_MFA_PASSCODE": "1",
        }
        connection = read_connection({"login_timeout": 1, "network_timeout": 1}, environ=environ)
        assert (connection.account, connection.user, connection.host) == ("ACCOUNT", "USER", "HOST")
        assert (connection.role, connection.warehouse, connection.port) == ("ROLE", "WAREHOUSE", 8443)
        assert connection.credential == {"password": "PASSWORD", "passcode": "1"}

    @pytest.mark.parametrize(
        ("environ", "reason"),
        [
            ({"SNOWFLAKE_PORT": "x"}, r"^port \(SNOWFLAKE_PORT\): x is not between"),
            ({"SNOWFLAKE_PROTOCOL": "ftp"}, r"^protocol \(SNOWFLAKE_PROTOCOL\): 'ftp' is neither"),
            (
                {"SNOWFLAKE_PROTOCOL": "http", "SNOWFLAKE_HOST": "8.8.8.8"},
                r"^protocol \(SNOWFLAKE_PROTOCOL\): http would",
            ),
        ],
    )
    def test_a_wrong_variable_is_named(self, environ, reason):
        with pytest.raises(SnowflakeError, match=reason):
            read_connection({**BASE, "token": SECRET}, environ=environ)

    @pytest.mark.parametrize("option", ["account", "user"])
    def test_what_is_missing_is_named(self, option):
        with pytest.raises(SnowflakeError, match=rf"^{option}: .*SNOWFLAKE_{option.upper()}"):
            read_connection({**BASE, "password": SECRET, option: None}, environ={})


class TestConnectionName:
    PROFILE = f'[gym]\naccount = "myorg-gym"\nuser = "ana"\nrole = "reader"\npassword = "{SECRET}"\ndatabase = "x"\n'

    def test_is_looked_up_and_the_task_wins(self, run, account, home):
        home(self.PROFILE)
        nothing = {"account": None, "user": None}
        run("snowflake_query", **MODULE, **nothing, connection_name="gym", role="WRITER")
        (login,) = account.logins
        assert (login["account"], login["user"], login["role"]) == ("myorg-gym", "ANA", "WRITER")
        assert login["password"] == SECRET

    def test_a_key_stands_there_under_the_connectors_names(self, run, account, home, key_file):
        encrypted = private_pem(rsa_key(), "open sesame")
        key_file.write_bytes(encrypted)
        home(f'[gym]\nprivate_key_file = "{key_file}"\nprivate_key_file_pwd = "open sesame"\n')
        run("snowflake_query", **MODULE, connection_name="gym")
        assert account.logins[0]["authenticator"] == "SNOWFLAKE_JWT"

    def test_a_variable_of_the_connection_wins_over_the_file(self, run, account, home, monkeypatch):
        home(self.PROFILE)
        monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_GYM_PASSWORD", "rotated")
        run("snowflake_query", **MODULE, connection_name="gym")
        assert account.logins[0]["password"] == "rotated"

    def test_the_default_is_taken_where_the_task_says_nothing(self, run, account, home, monkeypatch):
        home(self.PROFILE)
        monkeypatch.setenv("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "gym")
        run("snowflake_query", **MODULE, account=None, user=None)
        assert account.logins[0]["user"] == "ANA"

    def test_the_default_is_not_taken_where_the_task_says_who(self, home, monkeypatch):
        home(self.PROFILE)
        environ = {"SNOWFLAKE_DEFAULT_CONNECTION_NAME": "gym", "SNOWFLAKE_TOKEN": "t"}
        assert read_connection(BASE, environ=environ).method == "programmatic_access_token"

    def test_config_toml_is_read_where_there_is_no_connections_toml(self, run, account, home):
        home(f'[connections.gym]\ntoken = "{SECRET}"\n', name="config.toml")
        run("snowflake_query", **MODULE, connection_name="gym")
        assert account.logins[0]["token"] == SECRET

    def test_connections_toml_replaces_config_toml(self, run, home):
        home(f'[connections.gym]\ntoken = "{SECRET}"\n', name="config.toml")
        home("[other]\n")
        with pytest.raises(
            ModuleFailed, match=r"^connection_name: 'gym' is not in .*connections.toml, which has: other"
        ):
            run("snowflake_query", **MODULE, connection_name="gym")

    @pytest.mark.parametrize("mode", [0o620, 0o602])
    def test_a_file_that_others_may_write_is_refused(self, run, account, home, mode):
        home(self.PROFILE, mode)
        with pytest.raises(ModuleFailed, match=r"can be written by its group or by others.*chmod 0600"):
            run("snowflake_query", **MODULE, connection_name="gym")
        assert account.logins == []

    def test_a_file_that_others_may_read_is_warned_about(self, home, tmp_path):
        home(self.PROFILE, 0o644)
        warned = []
        environ = {"SNOWFLAKE_HOME": str(tmp_path)}
        read_connection({**BASE, "connection_name": "gym"}, environ, warned.append)
        assert len(warned) == 1
        assert "connections.toml can be read by others" in warned[0]
        environ["SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION"] = "true"
        read_connection({**BASE, "connection_name": "gym"}, environ, warned.append)
        assert len(warned) == 1

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (f'[gym]\npassword = "{SECRET}', "is not TOML"),
            ('[gym]\nauthenticator = "externalbrowser"\n', "authenticator of connection gym in .*: 'externalbrowser'"),
            (f'[gym]\npassword = "{SECRET}"\ntoken = "{SECRET}"\n', "2 ways of logging in"),
            (None, "there is no connections.toml in"),
        ],
    )
    def test_an_unusable_file_is_explained_without_its_secrets(self, run, home, text, reason):
        if text is not None:
            home(text)
        with pytest.raises(ModuleFailed, match=reason) as failed:
            run("snowflake_query", **MODULE, connection_name="gym")
        assert SECRET not in json.dumps(failed.value.result)


class TestSecrets:
    def test_every_secret_option_is_marked(self):
        hidden = {name for name, spec in CONNECTION.items() if spec.get("no_log")}
        assert hidden == {"private_key_content", "private_key_passphrase", "token", "password", "passcode"}

    @pytest.mark.parametrize("place", ["task", "environment", "file"])
    def test_what_the_account_repeats_is_masked(self, run, account, home, monkeypatch, place):
        def refuse(**settings):
            raise FakeError(390100, f"Incorrect username or password {settings['password']}")

        monkeypatch.setattr(account, "connect", refuse)
        options = {}
        if place == "task":
            options["password"] = SECRET
        elif place == "environment":
            monkeypatch.setenv("SNOWFLAKE_PASSWORD", SECRET)
        else:
            home(f'[gym]\npassword = "{SECRET}"\n')
            options["connection_name"] = "gym"
        with pytest.raises(ModuleFailed, match="refused the password of user PROVISIONER") as failed:
            run("snowflake_query", **MODULE, **options)
        assert SECRET not in json.dumps(failed.value.result)

    def test_a_connection_does_not_print_them(self):
        connection = read_connection({**BASE, "password": SECRET, "passcode": "123456"}, environ={})
        assert SECRET not in repr(connection)
        assert "123456" not in repr(connection)


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "errno", "answer", "reason"),
        [
            (
                {"token": SECRET},
                394400,
                "394400: PAT is invalid",
                "refused the programmatic access token .* from token",
            ),
            ({"token": SECRET, "authenticator": "oauth"}, 390303, "390303: invalid", "refused the OAuth access token"),
            ({"password": SECRET}, 390100, "390100: Incorrect", "A service user has no password"),
            ({"password": SECRET}, 394508, "394508: MFA", "needs a second factor: set passcode"),
            ({"password": SECRET}, 390422, "390422: IP", "network policy does not let this host in"),
        ],
    )
    def test_says_what_to_check(self, run, account, monkeypatch, options, errno, answer, reason):
        def refuse(**settings):
            raise FakeError(errno, answer)

        monkeypatch.setattr(account, "connect", refuse)
        with pytest.raises(ModuleFailed, match=reason):
            run("snowflake_query", **MODULE, **options)


class Answering:
    """A server that gives every request the same answer: an HTTP status, or none for silence."""

    def __init__(self, status):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._status = status
        self.port = self._listener.getsockname()[1]
        self._held = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _address = self._listener.accept()
            except OSError:
                return
            self._held.append(peer)
            if self._status:
                peer.recv(65536)
                peer.sendall(f"HTTP/1.1 {self._status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                peer.close()

    def close(self):
        """Stop."""
        for thing in (self._listener, *self._held):
            thing.close()


class TestWrongAccount:
    """The real connector: Snowflake answers 403 for an account that it does not have, some proxies never do."""

    @pytest.fixture
    def endpoint(self):
        servers = []

        def start(status):
            servers.append(Answering(status))
            return {"host": "127.0.0.1", "port": servers[-1].port, "protocol": "http", "account": "myorg-wrong"}

        yield start
        for server in servers:
            server.close()

    @pytest.mark.parametrize(
        "credential", [{}, {"password": "x"}, {"token": "x"}, {"token": "x", "authenticator": "oauth"}]
    )
    @pytest.mark.parametrize("status", [403, 404])
    def test_fails_fast_and_names_the_option(self, key_file, capsys, endpoint, status, credential):
        run = Runner(FakeAccount(), key_file, capsys)
        options = {**(MODULE if credential else {"statements": ["SELECT 1"]}), **credential, **endpoint(status)}
        started = time.monotonic()
        with pytest.raises(ModuleFailed, match=r"There is no account myorg-wrong at .*Check the option account"):
            run("snowflake_query", **options)
        assert time.monotonic() - started < 5

    @pytest.mark.parametrize("credential", [{}, {"password": "x"}, {"token": "x"}])
    def test_silence_is_given_up(self, key_file, capsys, endpoint, credential):
        run = Runner(FakeAccount(), key_file, capsys)
        options = {**(MODULE if credential else {"statements": ["SELECT 1"]}), **credential, **endpoint(None)}
        started = time.monotonic()
        with pytest.raises(ModuleFailed, match=r"within login_timeout \(2 s\)"):
            run("snowflake_query", **options, login_timeout=2)
        assert time.monotonic() - started < 14
