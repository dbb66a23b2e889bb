"""Programmatic access tokens: who may make them, what they open, when they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.session import Session
from snowflake.connector.errors import DatabaseError
from snowflake_support import ADMIN, Client, Clock, Inside, Key, Person, Service, unique

DAY = 86_400.0
POLICY = "CREATE OR REPLACE NETWORK POLICY HERE ALLOWED_IP_LIST = ('127.0.0.1')"


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def inside(tmp_path: Path, key: Key, clock: Clock) -> Iterator[Inside]:
    made = Inside(tmp_path / "account", key, clock)
    made.run(
        POLICY,
        "CREATE ROLE R",
        "CREATE ROLE OTHER",
        "CREATE USER BOT TYPE = SERVICE",
        "CREATE USER ANN TYPE = PERSON PASSWORD = 'a long password'",
        *(f"GRANT ROLE {role} TO USER {user}" for role in ("R", "OTHER") for user in ("BOT", "ANN")),
    )
    yield made
    made.account.close()


Login = Callable[..., Session]


@pytest.fixture
def login(inside: Inside) -> Login:
    def enter(secret: str, name: str = "", role: str | None = None, password: bool = False) -> Session:
        data: dict[str, Any] = {"LOGIN_NAME": name, "AUTHENTICATOR": "PROGRAMMATIC_ACCESS_TOKEN", "TOKEN": secret}
        if password:
            data = {"LOGIN_NAME": name, "PASSWORD": secret}
        return inside.account.login(data, {"roleName": role} if role else {}, "127.0.0.1")

    return enter


def refused(action: Callable[[], object]) -> int:
    with pytest.raises(SnowflakeError) as caught:
        action()
    return caught.value.number


def add(inside: Inside, user: str, name: str = "T", more: str = "ROLE_RESTRICTION = 'R'") -> str:
    (row,) = inside.rows(f"ALTER USER {user} ADD PAT {name} {more}")
    assert list(row) == ["token_name", "token_secret"] and row["token_name"] == name
    return str(row["token_secret"])


def shown(inside: Inside, user: str) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in inside.rows(f"SHOW USER PATS FOR USER {user}")}


def test_service_needs_a_policy_and_a_role(inside: Inside, login: Login) -> None:
    assert inside.refused("ALTER USER BOT ADD PAT T ROLE_RESTRICTION = 'R'")[0] == 390432
    inside.run("ALTER USER BOT SET NETWORK_POLICY = HERE")
    assert "ROLE_RESTRICTION" in inside.refused("ALTER USER BOT ADD PAT T")[1]
    assert inside.refused("ALTER USER BOT ADD PAT T ROLE_RESTRICTION = 'SYSADMIN'")[0] == 2003
    secret = add(inside, "BOT")
    for session in (login(secret), login(secret, "bot"), login(secret, "BOT", password=True)):
        assert (session.user, session.role, session.secondary) == ("BOT", "R", False)
    inside.run("ALTER USER BOT UNSET NETWORK_POLICY")
    assert refused(lambda: login(secret)) == 390432


def test_token_of_one_user_opens_no_other(inside: Inside, login: Login) -> None:
    inside.run("ALTER USER BOT SET NETWORK_POLICY = HERE", "ALTER USER ANN SET NETWORK_POLICY = HERE")
    secret = add(inside, "BOT")
    assert refused(lambda: login(secret, "ANN")) == 394400
    assert refused(lambda: login(secret, "ANN", password=True)) == 390100
    assert refused(lambda: login(secret + "x")) == 394400
    assert refused(lambda: login("")) == 394400


def test_role_restriction_binds_the_session(inside: Inside, login: Login) -> None:
    inside.run("ALTER USER BOT SET NETWORK_POLICY = HERE")
    secret = add(inside, "BOT")
    assert refused(lambda: login(secret, role="OTHER")) == 390189
    session = login(secret, role="r")
    for statement in ("USE ROLE OTHER", "USE SECONDARY ROLES ALL", "USE ROLE PUBLIC"):
        assert inside.refused(statement, session)[0] == 3013
    inside.rows("USE ROLE R", session)
    inside.run("REVOKE ROLE R FROM USER BOT")
    assert inside.refused("SELECT 1", session)[0] == 3013
    assert refused(lambda: login(secret)) == 394400


def test_person_may_be_let_off_the_policy_for_a_while(inside: Inside, login: Login, clock: Clock) -> None:
    secret = add(inside, "ANN", more="MINS_TO_BYPASS_NETWORK_POLICY_REQUIREMENT = 10 DAYS_TO_EXPIRY = 1")
    assert login(secret).role == "PUBLIC"
    assert shown(inside, "ANN")["T"]["mins_to_bypass_network_policy_requirement"] == "10"
    clock.now += 601
    assert refused(lambda: login(secret)) == 390432
    inside.run("ALTER USER ANN SET NETWORK_POLICY = HERE")
    session = login(secret)
    inside.rows("USE ROLE OTHER", session)
    clock.now += DAY
    assert refused(lambda: login(secret)) == 394400


def test_show_says_what_is_documented(inside: Inside, clock: Clock) -> None:
    add(inside, "ANN", "A", "COMMENT = 'for tests'")
    add(inside, "ANN", "B", "DAYS_TO_EXPIRY = 365 ROLE_RESTRICTION = R")
    inside.run("ALTER USER ANN MODIFY PROGRAMMATIC ACCESS TOKEN B SET DISABLED = TRUE")
    found = shown(inside, "ANN")
    assert list(found["A"]) == [
        "name", "user_name", "role_restriction", "expires_at", "status", "comment", "created_on", "created_by",
        "mins_to_bypass_network_policy_requirement", "rotated_to",
    ]  # fmt: skip
    assert (found["A"]["status"], found["A"]["comment"], found["A"]["created_by"]) == ("ACTIVE", "for tests", ADMIN)
    assert float(found["A"]["expires_at"]) == clock.now + 15 * DAY
    assert (found["B"]["status"], found["B"]["role_restriction"]) == ("DISABLED", "R")
    assert inside.rows("SHOW USERS LIKE 'ANN'")[0]["has_pat"] == "true"
    clock.now += 16 * DAY
    assert shown(inside, "ANN")["A"]["status"] == "EXPIRED"
    clock.now += 30 * DAY
    assert list(shown(inside, "ANN")) == ["B"]


def test_modify_rename_and_remove(inside: Inside, login: Login) -> None:
    inside.run("ALTER USER ANN SET NETWORK_POLICY = HERE")
    secret = add(inside, "ANN")
    assert inside.refused("ALTER USER ANN ADD PAT T")[0] == 2002
    inside.run(
        "ALTER USER ANN ADD PAT IF NOT EXISTS T", "ALTER USER ANN MODIFY PAT T SET DISABLED = TRUE COMMENT = 'x'"
    )
    assert refused(lambda: login(secret)) == 394400
    inside.run("ALTER USER ANN MODIFY PAT T UNSET DISABLED, COMMENT", "ALTER USER ANN MODIFY PAT T RENAME TO U")
    login(secret)
    assert inside.refused("ALTER USER ANN REMOVE PAT T")[0] == 2003
    assert inside.refused("ALTER USER ANN MODIFY PAT U SET DAYS_TO_EXPIRY = 3")[0] == 1420
    inside.run("ALTER USER IF EXISTS NOSUCH REMOVE PAT U", "ALTER USER ANN REMOVE PAT IF EXISTS T")
    inside.run("ALTER USER ANN REMOVE PROGRAMMATIC ACCESS TOKEN U")
    assert refused(lambda: login(secret)) == 394400 and shown(inside, "ANN") == {}


def test_rotation_leaves_the_old_secret_for_a_day(inside: Inside, login: Login, clock: Clock) -> None:
    inside.run("ALTER USER BOT SET NETWORK_POLICY = HERE")
    old = add(inside, "BOT", more="ROLE_RESTRICTION = R DAYS_TO_EXPIRY = 30")
    clock.now += DAY
    (row,) = inside.rows("ALTER USER BOT ROTATE PAT T")
    new, rotated = row["token_secret"], row["rotated_token_name"]
    assert rotated == f"T_ROTATED_{int(clock.now * 1000)}"
    found = shown(inside, "BOT")
    assert found[rotated]["rotated_to"] == "T" and float(found["T"]["expires_at"]) == clock.now + 30 * DAY
    login(old), login(new)
    clock.now += DAY
    assert refused(lambda: login(old)) == 394400
    login(new)
    inside.run("ALTER USER BOT ROTATE PAT T EXPIRE_ROTATED_TOKEN_AFTER_HOURS = 0")
    assert refused(lambda: login(new)) == 394400


def test_a_user_has_no_more_than_fifteen(inside: Inside) -> None:
    for number in range(15):
        add(inside, "ANN", f"T{number}")
    assert "15" in inside.refused("ALTER USER ANN ADD PAT T15")[1]


def test_people_manage_their_own_and_others_need_a_right(inside: Inside) -> None:
    ann, bot = inside.login("ANN", "PUBLIC"), inside.login("BOT", "R")
    inside.run("ALTER USER BOT SET NETWORK_POLICY = HERE", "ALTER USER ANN SET NETWORK_POLICY = HERE")
    (row,) = inside.rows("ALTER USER ADD PAT MINE ROLE_RESTRICTION = 'R'", ann)
    by_token = inside.account.login(
        {"AUTHENTICATOR": "PROGRAMMATIC_ACCESS_TOKEN", "TOKEN": row["token_secret"]}, {}, "127.0.0.1"
    )
    assert inside.refused("ALTER USER ROTATE PAT MINE", by_token)[0] == 3001
    assert [r["name"] for r in inside.rows("SHOW USER PROGRAMMATIC ACCESS TOKENS", ann)] == ["MINE"]
    for statement in ("ALTER USER ADD PAT MINE ROLE_RESTRICTION = R", "SHOW USER PATS"):
        assert inside.refused(statement, bot)[0] == 3001
    for statement in ("ALTER USER BOT ADD PAT X ROLE_RESTRICTION = R", "SHOW USER PATS FOR USER BOT"):
        assert inside.refused(statement, ann)[0] in (2003, 3001)
    inside.run("GRANT MODIFY PROGRAMMATIC AUTHENTICATION METHODS ON USER BOT TO ROLE R")
    inside.rows("ALTER USER ADD PAT MINE ROLE_RESTRICTION = R", bot)


def test_authentication_policy_decides_about_tokens(inside: Inside, login: Login, clock: Clock) -> None:
    inside.run(
        "CREATE DATABASE D",
        "CREATE AUTHENTICATION POLICY D.PUBLIC.P PAT_POLICY = (DEFAULT_EXPIRY_IN_DAYS = 2 MAX_EXPIRY_IN_DAYS = 5 "
        "NETWORK_POLICY_EVALUATION = ENFORCED_NOT_REQUIRED REQUIRE_ROLE_RESTRICTION_FOR_SERVICE_USERS = FALSE)",
        "ALTER USER BOT SET AUTHENTICATION POLICY D.PUBLIC.P",
    )
    assert inside.refused("ALTER USER BOT ADD PAT T DAYS_TO_EXPIRY = 6")[0] == 1008
    secret = add(inside, "BOT", more="")
    assert login(secret).user == "BOT"
    inside.run("ALTER AUTHENTICATION POLICY D.PUBLIC.P SET AUTHENTICATION_METHODS = ('KEYPAIR')")
    assert refused(lambda: login(secret)) == 390202
    inside.run("ALTER AUTHENTICATION POLICY D.PUBLIC.P SET AUTHENTICATION_METHODS = ('PROGRAMMATIC_ACCESS_TOKEN')")
    login(secret), login(secret, "BOT", password=True)
    clock.now += 2 * DAY
    assert refused(lambda: login(secret)) == 394400


def test_secret_is_kept_nowhere(inside: Inside, tmp_path: Path) -> None:
    secret = add(inside, "ANN")
    assert secret not in str(inside.rows("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY"))
    assert secret not in str(inside.rows("DESCRIBE USER ANN") + inside.rows("SHOW USERS"))
    for path in (tmp_path / "account").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_connector_logs_in_with_a_token(service: Service, admin: Client, somebody: Person) -> None:
    policy = unique("POLICY")
    admin.run(
        f"CREATE NETWORK POLICY {policy} ALLOWED_IP_LIST = ('127.0.0.1')",
        f"ALTER USER {somebody.name} SET NETWORK_POLICY = {policy}",
    )
    secret = admin.rows(f"ALTER USER {somebody.name} ADD PAT T ROLE_RESTRICTION = '{somebody.role}'")[0][1]
    for options in (
        {"token": secret, "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"},
        {"password": secret},
    ):
        connection = service.connect(somebody.name, **options)
        assert Client(connection).rows("SELECT CURRENT_USER(), CURRENT_ROLE()") == [(somebody.name, somebody.role)]
        connection.close()
    factors = admin.dicts(
        f"SELECT FIRST_AUTHENTICATION_FACTOR AS F FROM SNOWFLAKE.ACCOUNT_USAGE.LOGIN_HISTORY "
        f"WHERE USER_NAME = '{somebody.name}' ORDER BY EVENT_ID DESC LIMIT 2"
    )
    assert {row["F"] for row in factors} == {"PROGRAMMATIC_ACCESS_TOKEN"}
    for options, number in (
        ({"token": "nonsense", "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"}, 394400),
        ({"token": "nonsense", "authenticator": "oauth"}, 390303),
    ):
        with pytest.raises(DatabaseError) as caught:
            service.connect(somebody.name, **options)
        assert caught.value.errno == number


def test_an_authentication_policy_rules_over_tokens(inside: Inside, login: Login) -> None:
    inside.run(
        "CREATE DATABASE D",
        "CREATE AUTHENTICATION POLICY LAX PAT_POLICY = (NETWORK_POLICY_EVALUATION = ENFORCED_NOT_REQUIRED "
        "REQUIRE_ROLE_RESTRICTION_FOR_SERVICE_USERS = FALSE MAX_EXPIRY_IN_DAYS = 5 DEFAULT_EXPIRY_IN_DAYS = 2)",
        "CREATE AUTHENTICATION POLICY KEYS AUTHENTICATION_METHODS = ('KEYPAIR')",
        "ALTER USER BOT SET AUTHENTICATION POLICY LAX",
    )
    assert inside.refused("ALTER USER BOT ADD PAT LONG DAYS_TO_EXPIRY = 6")[0] == 1008
    secret = add(inside, "BOT", more="")
    assert login(secret).user == "BOT"
    inside.run("ALTER USER BOT SET AUTHENTICATION POLICY KEYS FORCE")
    assert refused(lambda: login(secret)) == 390202
    inside.run("ALTER USER BOT UNSET AUTHENTICATION POLICY")
    assert refused(lambda: login(secret)) == 390432
