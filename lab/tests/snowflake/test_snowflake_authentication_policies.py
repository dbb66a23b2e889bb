"""Authentication policies: their life, where they are set, and which logins they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from snowflake.connector.errors import DatabaseError
from snowflake_support import Client, Person, Service, unique

REJECTED = "rejected by the current authentication policy"


@pytest.fixture
def schema(admin: Client) -> str:
    return f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"


@pytest.fixture
def apart(another_service: Callable[[], Service]) -> Service:
    """An account of the test's own, for what is set on the whole account."""
    service = another_service()
    service.start()
    return service


@pytest.fixture
def own(apart: Service) -> Iterator[Client]:
    client = Client(apart.connect())
    client.run("CREATE DATABASE LAB")
    yield client
    client.connection.close()


def described(client: Client, policy: str) -> dict[str, str]:
    return {row["property"]: row["value"] for row in client.dicts(f"DESC AUTHENTICATION POLICY {policy}")}


def in_force(client: Client, on: str) -> list[tuple[str, str]]:
    return [(row["name"], row["set_on"]) for row in client.dicts(f"SHOW AUTHENTICATION POLICIES ON {on}")]


def test_life(admin: Client, schema: str) -> None:
    admin.run(
        f"CREATE AUTHENTICATION POLICY {schema}.SERVICES AUTHENTICATION_METHODS = ('KEYPAIR', "
        "'PROGRAMMATIC_ACCESS_TOKEN') CLIENT_TYPES = ('DRIVERS') MFA_ENROLLMENT = 'OPTIONAL' "
        "PAT_POLICY = (DEFAULT_EXPIRY_IN_DAYS = 30 MAX_EXPIRY_IN_DAYS = 90 NETWORK_POLICY_EVALUATION = NOT_ENFORCED) "
        "MFA_POLICY = (ALLOWED_METHODS = ('TOTP', 'PASSKEY')) COMMENT = 'x'",
        f"CREATE AUTHENTICATION POLICY {schema}.PLAIN",
        f"CREATE AUTHENTICATION POLICY IF NOT EXISTS {schema}.PLAIN",
    )
    shown = {row["name"]: row for row in admin.dicts(f"SHOW AUTHENTICATION POLICIES IN SCHEMA {schema}")}
    assert list(shown["PLAIN"]) == [
        "created_on", "name", "database_name", "schema_name", "kind", "owner", "comment", "owner_role_type", "options",
    ]  # fmt: skip
    assert (shown["SERVICES"]["kind"], shown["SERVICES"]["comment"]) == ("AUTHENTICATION_POLICY", "x")
    found = described(admin, f"{schema}.SERVICES")
    assert found["AUTHENTICATION_METHODS"] == "[KEYPAIR, PROGRAMMATIC_ACCESS_TOKEN]"
    assert (found["CLIENT_TYPES"], found["MFA_ENROLLMENT"]) == ("[DRIVERS]", "OPTIONAL")
    assert "MAX_EXPIRY_IN_DAYS=90" in found["PAT_POLICY"]
    admin.run(
        f"ALTER AUTHENTICATION POLICY {schema}.SERVICES SET AUTHENTICATION_METHODS = ('OAUTH')",
        f"ALTER AUTHENTICATION POLICY {schema}.SERVICES UNSET CLIENT_TYPES, COMMENT",
        f"ALTER AUTHENTICATION POLICY {schema}.SERVICES RENAME TO {schema}.MACHINES",
    )
    found = described(admin, f"{schema}.MACHINES")
    assert (found["AUTHENTICATION_METHODS"], found["CLIENT_TYPES"], found["COMMENT"]) == ("[OAUTH]", "[ALL]", "")
    admin.run(f"DROP AUTHENTICATION POLICY {schema}.MACHINES")
    assert admin.refused(f"DROP AUTHENTICATION POLICY {schema}.MACHINES")[0] == 2003


@pytest.mark.parametrize(
    ("rest", "number"),
    [
        ("AUTHENTICATION_METHODS = ('TELEPATHY')", 1008),
        ("CLIENT_TYPES = ('FAX')", 1008),
        ("MFA_ENROLLMENT = 'SOMETIMES'", 1008),
        ("PAT_POLICY = (MAX_EXPIRY_IN_DAYS = 400)", 1008),
        ("PAT_POLICY = (COLOUR = 'red')", 1008),
        ("PAT_POLICY = ('x')", 1008),
        ("SECURITY_INTEGRATIONS = ('NOSUCH')", 2003),
        ("COLOUR = 'red'", 1420),
        ("AUTHENTICATION_METHODS = ('KEYPAIR') MFA_AUTHENTICATION_METHODS = ('PASSWORD')", 1008),
    ],
)
def test_what_makes_no_sense_is_refused(admin: Client, schema: str, rest: str, number: int) -> None:
    assert admin.refused(f"CREATE AUTHENTICATION POLICY {schema}.P {rest}")[0] == number


def test_policy_of_a_user_decides_over_that_of_the_account(own: Client, apart: Service) -> None:
    own.run(
        "USE SCHEMA LAB.PUBLIC",
        "CREATE AUTHENTICATION POLICY KEYS AUTHENTICATION_METHODS = ('KEYPAIR')",
        "CREATE AUTHENTICATION POLICY PASSWORDS AUTHENTICATION_METHODS = ('PASSWORD')",
        "CREATE USER ANNA PASSWORD = 'Correct-horse1'",
    )
    apart.connect("ANNA", password="Correct-horse1").close()
    own.run("ALTER ACCOUNT SET AUTHENTICATION POLICY LAB.PUBLIC.KEYS")
    with pytest.raises(DatabaseError, match=REJECTED):
        apart.connect("ANNA", password="Correct-horse1")
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        apart.connect("ANNA", password="wrong")
    apart.connect().close()
    assert in_force(own, "ACCOUNT") == [("KEYS", "ACCOUNT")]
    assert in_force(own, "USER ANNA") == [("KEYS", "ACCOUNT")]
    own.run("ALTER USER ANNA SET AUTHENTICATION POLICY PASSWORDS")
    assert in_force(own, "USER ANNA") == [("PASSWORDS", "USER")]
    apart.connect("ANNA", password="Correct-horse1").close()
    assert own.refused("ALTER USER ANNA SET AUTHENTICATION POLICY KEYS")[0] == 3552
    own.run("ALTER USER ANNA SET AUTHENTICATION POLICY KEYS FORCE")
    for statement in (
        "DROP AUTHENTICATION POLICY KEYS",
        "CREATE OR REPLACE AUTHENTICATION POLICY KEYS",
    ):
        assert "cannot be dropped/replaced" in own.refused(statement)[1]
    assert "is in use" in own.refused("DROP SCHEMA LAB.PUBLIC")[1]
    assert "is in use" in own.refused("DROP DATABASE LAB")[1]
    own.run(
        "ALTER AUTHENTICATION POLICY KEYS RENAME TO KEYS_ONLY",
        "ALTER USER ANNA UNSET AUTHENTICATION POLICY",
        "ALTER ACCOUNT UNSET AUTHENTICATION POLICY",
        "DROP AUTHENTICATION POLICY KEYS_ONLY",
    )
    assert in_force(own, "ACCOUNT") == []
    apart.connect("ANNA", password="Correct-horse1").close()


def test_clients_and_second_factors(own: Client, apart: Service) -> None:
    own.run(
        "USE SCHEMA LAB.PUBLIC",
        "CREATE AUTHENTICATION POLICY BROWSER CLIENT_TYPES = ('SNOWFLAKE_UI')",
        "CREATE AUTHENTICATION POLICY MFA MFA_ENROLLMENT = 'REQUIRED_PASSWORD_ONLY'",
        "CREATE USER ANNA PASSWORD = 'Correct-horse1'",
        "ALTER USER ANNA SET AUTHENTICATION POLICY BROWSER",
    )
    with pytest.raises(DatabaseError, match=REJECTED):
        apart.connect("ANNA", password="Correct-horse1")
    own.run("ALTER USER ANNA SET AUTHENTICATION POLICY MFA FORCE")
    with pytest.raises(DatabaseError, match="Multi-factor authentication is required"):
        apart.connect("ANNA", password="Correct-horse1")
    own.run("ALTER ACCOUNT SET AUTHENTICATION POLICY MFA")
    apart.connect().close()


def test_setting_takes_apply(admin: Client, somebody: Person, schema: str) -> None:
    policy, user = f"{schema}.P", unique("USER")
    admin.run(
        f"CREATE AUTHENTICATION POLICY {policy}",
        f"CREATE USER {user}",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    client, put = somebody.client, f"ALTER USER {user} SET AUTHENTICATION POLICY {policy}"
    assert client.refused(f"CREATE AUTHENTICATION POLICY {schema}.Q")[0] == 3001
    assert client.refused(put)[0] == 2003
    admin.run(f"GRANT APPLY ON AUTHENTICATION POLICY {policy} TO ROLE {somebody.role}")
    assert client.refused(put)[0] == 2003
    admin.run(f"GRANT OWNERSHIP ON USER {user} TO ROLE {somebody.role}")
    client.run(put)
    assert client.refused(f"ALTER AUTHENTICATION POLICY {policy} SET COMMENT = 'x'")[0] == 3001
    admin.run("USE ROLE SECURITYADMIN", "USE SECONDARY ROLES NONE")
    admin.run(f"ALTER USER {user} UNSET AUTHENTICATION POLICY")
