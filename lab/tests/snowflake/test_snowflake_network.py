"""Network rules and policies: their life, what refers to them, and whom they let in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hanger_lab.snowflake import policies
from snowflake.connector.errors import DatabaseError
from snowflake_support import Client, Inside, Key, Person, Service, unique

NOT_ALLOWED = "is not allowed to access Snowflake"


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
    return {row["name"]: row["value"] for row in client.dicts(f"DESC NETWORK POLICY {policy}")}


def test_rule_life(admin: Client, schema: str) -> None:
    admin.run(
        f"CREATE NETWORK RULE {schema}.OFFICE TYPE = IPV4 VALUE_LIST = ('10.0.0.0/8', '192.0.2.7') COMMENT = 'ours'",
        f"CREATE NETWORK RULE IF NOT EXISTS {schema}.OFFICE TYPE = IPV4 VALUE_LIST = ()",
        f"CREATE NETWORK RULE {schema}.API MODE = EGRESS TYPE = HOST_PORT VALUE_LIST = ('example.com:443')",
    )
    (shown,) = admin.dicts(f"SHOW NETWORK RULES LIKE 'off%' IN SCHEMA {schema}")
    assert list(shown) == [
        "created_on", "name", "database_name", "schema_name", "owner", "comment", "type", "mode",
        "entries_in_valuelist", "owner_role_type",
    ]  # fmt: skip
    assert (shown["type"], shown["mode"], shown["entries_in_valuelist"]) == ("IPV4", "INGRESS", 2)
    admin.run(f"ALTER NETWORK RULE {schema}.OFFICE SET VALUE_LIST = ('10.1.0.0/16')")
    (row,) = admin.dicts(f"DESCRIBE NETWORK RULE {schema}.OFFICE")
    assert (row["value_list"], row["comment"], row["owner"]) == ("10.1.0.0/16", "ours", "ACCOUNTADMIN")
    admin.run(f"ALTER NETWORK RULE {schema}.OFFICE UNSET COMMENT", f"DROP NETWORK RULE {schema}.OFFICE")
    assert [row["name"] for row in admin.dicts(f"SHOW NETWORK RULES IN SCHEMA {schema}")] == ["API"]
    assert admin.refused(f"DROP NETWORK RULE {schema}.OFFICE")[0] == 2003
    admin.run(f"DROP NETWORK RULE IF EXISTS {schema}.OFFICE")


@pytest.mark.parametrize(
    ("rest", "number"),
    [
        ("TYPE = IPV4 VALUE_LIST = ('ten')", 1008),
        ("TYPE = IPV4 VALUE_LIST = ('::1')", 1008),
        ("TYPE = HOST_PORT MODE = INGRESS VALUE_LIST = ('a:1')", 1008),
        ("TYPE = CARRIER_PIGEON VALUE_LIST = ()", 1008),
        ("TYPE = IPV4", 2029),
        ("VALUE_LIST = ('10.0.0.1')", 2029),
        ("TYPE = IPV4 VALUE_LIST = () COLOUR = 'red'", 1420),
    ],
)
def test_rules_that_make_no_sense_are_refused(admin: Client, schema: str, rest: str, number: int) -> None:
    assert admin.refused(f"CREATE NETWORK RULE {schema}.R {rest}")[0] == number


def test_type_of_a_rule_cannot_be_altered(admin: Client, schema: str) -> None:
    admin.run(f"CREATE NETWORK RULE {schema}.R TYPE = IPV4 VALUE_LIST = ('10.0.0.1')")
    assert admin.refused(f"ALTER NETWORK RULE {schema}.R SET TYPE = IPV6")[0] == 1420
    assert admin.refused(f"ALTER NETWORK RULE {schema}.R SET VALUE_LIST = ('::1')")[0] == 1008


def test_policy_life(admin: Client, schema: str) -> None:
    name, new = unique("NP"), unique("NP")
    admin.run(
        f"CREATE NETWORK RULE {schema}.A TYPE = IPV4 VALUE_LIST = ('10.0.0.0/8')",
        f"CREATE NETWORK RULE {schema}.\"b c\" TYPE = IPV4 VALUE_LIST = ('10.9.0.0/16')",
        f"CREATE NETWORK POLICY {name} ALLOWED_NETWORK_RULE_LIST = ('{schema}.A') ALLOWED_IP_LIST = ('192.0.2.0/24', "
        "'198.51.100.1') BLOCKED_IP_LIST = ('192.0.2.9') COMMENT = 'x'",
        f'ALTER NETWORK POLICY {name} ADD BLOCKED_NETWORK_RULE_LIST = ({schema}."b c")',
    )
    (shown,) = admin.dicts(f"SHOW NETWORK POLICIES LIKE '{name}'")
    assert [shown[f"entries_in_{key}"] for key in ("allowed_ip_list", "blocked_ip_list")] == [2, 1]
    assert [shown[f"entries_in_{key}_network_rules"] for key in ("allowed", "blocked")] == [1, 1]
    found = described(admin, name)
    assert found["ALLOWED_IP_LIST"] == "192.0.2.0/24,198.51.100.1"
    assert json.loads(found["BLOCKED_NETWORK_RULE_LIST"]) == [{"fullyQualifiedRuleName": f'{schema}."b c"'}]
    admin.run(
        f"ALTER NETWORK POLICY {name} REMOVE BLOCKED_NETWORK_RULE_LIST = ('{schema}.\"b c\"')",
        f"ALTER NETWORK POLICY {name} UNSET BLOCKED_IP_LIST, COMMENT",
        f"ALTER NETWORK POLICY {name} RENAME TO {new}",
    )
    assert set(described(admin, new)) == {"ALLOWED_NETWORK_RULE_LIST", "ALLOWED_IP_LIST"}
    admin.run(f"DROP NETWORK POLICY {new}")
    assert admin.refused(f"DESC NETWORK POLICY {new}")[0] == 2003


def test_rule_in_use_holds_its_schema_and_database(admin: Client) -> None:
    database, policy = unique("DB"), unique("NP")
    rule = f"{database}.PUBLIC.R"
    admin.run(
        f"CREATE DATABASE {database}",
        f"CREATE NETWORK RULE {rule} TYPE = IPV4 VALUE_LIST = ('10.0.0.1')",
        f"CREATE NETWORK POLICY {policy} ALLOWED_NETWORK_RULE_LIST = ('{rule}')",
    )
    for statement in (
        f"DROP NETWORK RULE {rule}",
        f"CREATE OR REPLACE NETWORK RULE {rule} TYPE = IPV4 VALUE_LIST = ()",
        f"DROP SCHEMA {database}.PUBLIC",
        f"DROP DATABASE {database}",
    ):
        assert "network rule" in admin.refused(statement)[1].lower(), statement
    admin.run(f"DROP NETWORK POLICY {policy}", f"DROP DATABASE {database}", "USE DATABASE LAB")
    assert admin.refused(f"CREATE NETWORK POLICY {policy} ALLOWED_NETWORK_RULE_LIST = ('{rule}')")[0] == 2003


def test_egress_rule_is_not_for_policies(admin: Client, schema: str) -> None:
    admin.run(f"CREATE NETWORK RULE {schema}.OUT MODE = EGRESS TYPE = HOST_PORT VALUE_LIST = ('example.com')")
    policy = f"CREATE NETWORK POLICY {unique('NP')} ALLOWED_NETWORK_RULE_LIST = ('{schema}.OUT')"
    assert admin.refused(policy)[0] == 1008


def test_policies_are_for_security_administrators(admin: Client, somebody: Person, schema: str) -> None:
    name, client = unique("NP"), somebody.client
    create = f"CREATE NETWORK POLICY {name} ALLOWED_IP_LIST = ('127.0.0.1')"
    assert client.refused(create)[0] == 3001
    admin.run(f"GRANT CREATE NETWORK POLICY ON ACCOUNT TO ROLE {somebody.role}")
    client.run(create, f"ALTER NETWORK POLICY {name} SET COMMENT = 'mine'")
    assert [row["name"] for row in client.dicts("SHOW NETWORK POLICIES")] == [name]
    assert client.refused(f"ALTER ACCOUNT SET NETWORK_POLICY = {name}")[0] == 3001
    rule = f"CREATE NETWORK RULE {schema}.R TYPE = IPV4 VALUE_LIST = ('10.0.0.1')"
    admin.run(
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    assert client.refused(rule)[0] == 3001
    admin.run(f"GRANT CREATE NETWORK RULE ON SCHEMA {schema} TO ROLE {somebody.role}")
    client.run(rule, f"DROP NETWORK POLICY {name}")
    admin.run(f"GRANT OWNERSHIP ON NETWORK RULE {schema}.R TO ROLE SYSADMIN")
    assert client.refused(f"DROP NETWORK RULE {schema}.R")[0] == 2003
    admin.run(f"GRANT USAGE ON NETWORK RULE {schema}.R TO ROLE {somebody.role}")
    assert client.refused(f"DROP NETWORK RULE {schema}.R")[0] == 3001


def test_policy_of_a_user_decides_over_that_of_the_account(own: Client, apart: Service, key: Key) -> None:
    open_policy, closed = "NP_OPEN", "NP_CLOSED"
    own.run(
        f"CREATE NETWORK POLICY {open_policy} ALLOWED_IP_LIST = ('127.0.0.0/8') BLOCKED_IP_LIST = ('127.0.0.2')",
        f"CREATE NETWORK POLICY {closed} ALLOWED_IP_LIST = ('192.0.2.0/24')",
        f"CREATE USER LOADER TYPE = SERVICE RSA_PUBLIC_KEY = '{key.public}' NETWORK_POLICY = {closed}",
        f"ALTER ACCOUNT SET NETWORK_POLICY = {open_policy}",
    )
    (row,) = own.dicts("SHOW PARAMETERS LIKE 'NETWORK_POLICY' IN ACCOUNT")
    assert (row["value"], row["level"], row["default"]) == (open_policy, "ACCOUNT", "")
    (row,) = own.dicts("SHOW PARAMETERS LIKE 'network_policy' IN USER LOADER")
    assert (row["value"], row["level"]) == (closed, "USER")
    with pytest.raises(DatabaseError, match=f"127.0.0.1 {NOT_ALLOWED}"):
        apart.connect("LOADER")
    own.run("ALTER USER LOADER UNSET NETWORK_POLICY")
    apart.connect("LOADER").close()
    own.run(f"ALTER USER LOADER SET NETWORK_POLICY = {open_policy}")
    apart.connect("LOADER").close()
    number, message = own.refused(f"DROP NETWORK POLICY {open_policy}")
    assert number == 1492 and "attached to ACCOUNT" in message
    own.run("ALTER ACCOUNT UNSET NETWORK_POLICY")
    assert "attached to USER with name LOADER" in own.refused(f"DROP NETWORK POLICY {open_policy}")[1]
    own.run("ALTER NETWORK POLICY NP_OPEN RENAME TO NP_HOME", "DROP USER LOADER", "DROP NETWORK POLICY NP_HOME")


def test_nobody_can_lock_himself_out(own: Client) -> None:
    own.run(
        "CREATE NETWORK RULE LAB.PUBLIC.HERE TYPE = IPV4 VALUE_LIST = ('127.0.0.1/32')",
        "CREATE NETWORK POLICY HERE ALLOWED_NETWORK_RULE_LIST = ('LAB.PUBLIC.HERE')",
        "CREATE NETWORK POLICY ELSEWHERE ALLOWED_IP_LIST = ('192.0.2.0/24')",
        "CREATE NETWORK POLICY NOWHERE",
    )
    for policy in ("ELSEWHERE", "NOWHERE"):
        number, message = own.refused(f"ALTER ACCOUNT SET NETWORK_POLICY = {policy}")
        assert number == 1492 and "Requestor IP address/Token, 127.0.0.1, must be included" in message
        assert own.refused(f"ALTER USER HANGER_PROVISIONER SET NETWORK_POLICY = {policy}")[0] == 1492
    assert own.refused("ALTER ACCOUNT SET NETWORK_POLICY = NOSUCH")[0] == 2003
    own.run("ALTER ACCOUNT SET NETWORK_POLICY = HERE")
    for statement in (
        "ALTER NETWORK RULE LAB.PUBLIC.HERE SET VALUE_LIST = ('192.0.2.1')",
        "ALTER NETWORK RULE LAB.PUBLIC.HERE UNSET VALUE_LIST",
        "ALTER NETWORK POLICY HERE SET BLOCKED_IP_LIST = ('127.0.0.1')",
        "ALTER NETWORK POLICY HERE REMOVE ALLOWED_NETWORK_RULE_LIST = ('LAB.PUBLIC.HERE')",
    ):
        assert own.refused(statement)[0] == 1492, statement
    assert own.dicts("DESC NETWORK RULE LAB.PUBLIC.HERE")[0]["value_list"] == "127.0.0.1/32"
    own.run("USE ROLE SECURITYADMIN", "USE SECONDARY ROLES NONE", "ALTER ACCOUNT UNSET NETWORK_POLICY")
    own.run("ALTER ACCOUNT SET NETWORK_POLICY = 'HERE'", "ALTER ACCOUNT UNSET NETWORK_POLICY")
    assert own.refused("ALTER ACCOUNT SET TIMEZONE = 'UTC'")[0] == 3001


def test_sessions_that_are_open_are_shut_out_too(own: Client, apart: Service, key: Key) -> None:
    own.run(
        "CREATE NETWORK POLICY ELSEWHERE ALLOWED_IP_LIST = ('192.0.2.0/24')",
        f"CREATE USER LOADER TYPE = SERVICE RSA_PUBLIC_KEY = '{key.public}'",
    )
    loader = Client(apart.connect("LOADER"))
    loader.run("SELECT 1")
    own.run("ALTER USER LOADER SET NETWORK_POLICY = ELSEWHERE")
    number, message = loader.refused("SELECT 1")
    assert number == 390422 and NOT_ALLOWED in message
    own.run("ALTER USER LOADER UNSET NETWORK_POLICY")
    loader.run("SELECT 1")
    loader.connection.close()


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.9.2.3", False),
        ("192.0.2.1", True),
        ("192.0.2.9", False),
        ("8.8.8.8", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_what_is_blocked_stays_blocked(inside: Inside, address: str, admitted: bool) -> None:
    inside.run(
        "CREATE DATABASE D",
        "CREATE NETWORK RULE R4 TYPE = IPV4 VALUE_LIST = ('10.0.0.0/8')",
        "CREATE NETWORK RULE R6 TYPE = IPV6 VALUE_LIST = ('2001:db8::/32')",
        "CREATE NETWORK RULE NOT4 TYPE = IPV4 VALUE_LIST = ('10.9.0.0/16')",
        "CREATE NETWORK RULE LINK TYPE = AWSVPCEID VALUE_LIST = ('vpce-1')",
        "CREATE NETWORK POLICY P ALLOWED_NETWORK_RULE_LIST = (R4, R6, LINK) BLOCKED_NETWORK_RULE_LIST = (NOT4) "
        "ALLOWED_IP_LIST = ('192.0.2.0/24') BLOCKED_IP_LIST = ('192.0.2.9')",
    )
    catalog = inside.account.catalog
    assert policies.admits(catalog, catalog.get("NETWORK POLICY", ("P",)), address) is admitted
