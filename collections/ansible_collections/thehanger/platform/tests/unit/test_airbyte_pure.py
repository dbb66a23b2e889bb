# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure functions behind the Airbyte modules."""

from __future__ import annotations

import pytest
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte import model, problems, secrets, sync


@pytest.mark.parametrize(
    ("desired", "actual", "expected"),
    [
        ({"a": None, "b": [], "c": {}}, {}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, True),
        ({"a": {"x": {"y": None}}}, {}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": False}, {}, False),
        ({"a": 0}, {"a": None}, False),
        ({"a": "1"}, {"a": 1}, False),
    ],
)
def test_same(desired, actual, expected):
    assert model.same(desired, actual) is expected


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("PT8H6M12S", 29172),
        ("PT3.83S", 3.83),
        ("P1DT1S", 86401),
        ("PT0S", 0),
        ("P", None),
        ("soon", None),
        (None, None),
    ],
)
def test_seconds(duration, expected):
    assert model.seconds(duration) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [("0 0 3 * * ? UTC", "0 0 3 * * ?"), ("0  0 3 * * ?", "0 0 3 * * ?"), ("", None)]
)
def test_cron(given, expected):
    assert model.cron(given) == expected


def test_with_value_leaves_the_original_alone():
    original = {"a": {"b": 1, "c": 2}, "d": 3}
    assert model.with_value(original, ("a", "b"), 9) == {"a": {"b": 9, "c": 2}, "d": 3}
    assert model.with_value(original, ("a", "b"), None) == {"a": {"c": 2}, "d": 3}
    assert model.with_value(original, ("x", "y"), 9) == original
    assert original == {"a": {"b": 1, "c": 2}, "d": 3}


def test_suggestion_prefers_a_longer_name():
    names = ["member_id", "member_joined_datetime"]
    assert model.suggestion("member_joined", names) == "; did you mean 'member_joined_datetime'?"
    assert model.suggestion("memberid", names) == "; did you mean 'member_id'?"


def test_suggestion_lists_names_when_none_is_near():
    assert model.suggestion("zzz", ["members", "routes"]) == "; known: members, routes"
    assert model.suggestion("zzz", []) == "; there is none"


def test_secret_paths_know_the_specification_and_the_mask():
    assert ("credentials", "private_key_password") in secrets.secret_paths("destination", "snowflake")
    assert ("tunnel_method", "ssh_key") in secrets.secret_paths("source", "postgres")
    assert secrets.secret_paths("source", "x", {"a": {"b": "**********"}}) == {("a", "b")}
    assert secrets.secret_paths("source", "x", {"a": {"api_key": "k"}}) == {("a", "api_key")}
    assert ("tunnel_method", "ssh_key") in secrets.secret_paths("source", None)


@pytest.mark.parametrize("connector", ["postgres", "snowflake", "mysql"])
@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"jdbc_url_params": "sslmode=require&sslpassword=hunter%202"}, {"hunter%202", "hunter 2"}),
        ({"jdbc_url_params": "ssl=true;PWD=hunter2;a=b"}, {"hunter2;a=b", "hunter2"}),
        ({"jdbc_url_params": "PWD=hunter2;ssl=true"}, {"hunter2;ssl=true", "hunter2"}),
        ({"jdbc_url_params": "https://example.com/?privateKey=abc=="}, {"abc=="}),
        ({"other": {"client_secret": "hunter2"}}, {"hunter2"}),
        ({"other": {"api_tokens": ["hunter2", "hunter3"]}}, {"hunter2", "hunter3"}),
        ({"other": [{"name": "n", "password": "hunter2"}]}, {"hunter2"}),
        ({"other": [[{"name": "n"}], "token=hunter2"]}, {"hunter2"}),
        ({"other": {"token": 123456}}, {"123456"}),
    ],
)
def test_secrets_in_fields_that_no_specification_lists(connector, configuration, expected):
    kind = "destination" if connector == "snowflake" else "source"
    new = secrets.secret_paths(kind, connector, configuration) - secrets.secret_paths(kind, connector)
    ((name, value),) = configuration.items()
    assert new == ({(name, *value)} if isinstance(value, dict) else {(name,)})
    whole = {value} if isinstance(value, str) else set()
    assert secrets.texts(configuration, new) == expected | whole
    assert not any(text in str(secrets.marked(configuration, new, {})) for text in expected)


@pytest.mark.parametrize(
    "configuration",
    [
        {"jdbc_url_params": "sslmode=require&applicationName=token"},
        {"jdbc_url_params": "sslpassword="},
        {"primary_key": "id"},
        {"use_token": True},
        {"token": None},
        {"schemas": ["public", "secret"]},
        {"tunnel_method": {"tunnel_method": "SSH_PASSWORD_AUTH"}},
    ],
)
def test_what_only_looks_like_a_secret_is_shown(configuration):
    assert secrets.secret_paths("source", "postgres", configuration) == secrets.secret_paths("source", "postgres")


def test_a_number_and_a_list_settle():
    assert not secrets.changed("123456", 123456, None, None, "f", "on_change")
    masked = [{"name": "n", "password": "**********"}]
    assert not secrets.changed("[...]", masked, None, {"hmac": "f"}, "f", "on_change")
    assert secrets.secret_paths("source", "postgres", {"a": masked}) >= {("a",)}


@pytest.mark.parametrize(
    ("stored", "coordinate", "record", "policy", "expected"),
    [
        (None, None, None, "never", True),
        ("**********", None, None, "on_change", True),
        ("**********", None, {"hmac": "f"}, "on_change", False),
        ("**********", "c_v1", {"hmac": "f", "coordinate": "c_v1"}, "on_change", False),
        ("**********", "c_v2", {"hmac": "f", "coordinate": "c_v1"}, "on_change", True),
        ("**********", None, {"hmac": "f", "coordinate": "c_v1"}, "on_change", False),
        ("**********", None, {"hmac": "other"}, "on_change", True),
        ("**********", None, {"hmac": "other"}, "never", False),
        ("**********", None, {"hmac": "f"}, "always", True),
        ("value", None, None, "on_change", False),
        ("other", None, {"hmac": "f"}, "on_change", True),
    ],
)
def test_changed_secret(stored, coordinate, record, policy, expected):
    assert secrets.changed("value", stored, coordinate, record, "f", policy) is expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [("**********", None), ("airbyte_x_v1", "airbyte_x_v1"), ({"_secret": "c_v1"}, "c_v1"), (None, None)],
)
def test_coordinate(shown, expected):
    assert secrets.coordinate_at({"a": {"b": shown}}, ("a", "b")) == expected


def test_a_problem_never_shows_a_secret():
    problem = {"title": "Bad", "detail": "password hunter2 is wrong", "data": {"message": "$.user: not allowed"}}
    text = problems.describe("POST", "/sources", 422, problem, {"configuration": {"user": "me"}}, {"hunter2"})
    assert text == (
        "Airbyte refused POST /sources (HTTP 422): password ******** is wrong; $.user: not allowed [user = 'me']"
    )


def test_failure_reads_structured_logs():
    attempts = [
        {"attempt": {"id": 0, "failureSummary": {"failures": [{"externalMessage": "first"}]}}},
        {
            "attempt": {"id": 1, "failureSummary": {"failures": [{"internalMessage": "second"}]}},
            "logs": {"events": [{"level": "ERROR", "message": "boom"}]},
        },
    ]
    assert sync.failure({"attempts": attempts}) == ("second", ["ERROR boom"])
    assert sync.failure({}) == (None, [])
