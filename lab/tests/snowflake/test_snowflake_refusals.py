"""What Snowflake refuses is refused, with its number."""

from __future__ import annotations

import pytest
from snowflake_support import Client, Key, Person, Service, person, unique

HIDDEN = 2003
INSUFFICIENT = 3001


@pytest.fixture
def table(admin: Client) -> str:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE T (ID INT, NAME VARCHAR)", "INSERT INTO T VALUES (1, 'one')")
    return f"LAB.{schema}.T"


def open_schema(admin: Client, table: str, role: str) -> None:
    schema = table.rsplit(".", 1)[0]
    admin.run(f"GRANT USAGE ON DATABASE LAB TO ROLE {role}", f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role}")


def test_table_is_hidden_without_any_grant(admin: Client, somebody: Person, table: str) -> None:
    for statement in (f"SELECT * FROM {table}", f"DESCRIBE TABLE {table}", f"DROP TABLE {table}"):
        number, message = somebody.client.refused(statement)
        assert number == HIDDEN and "does not exist or not authorized" in message
    open_schema(admin, table, somebody.role)
    assert somebody.client.refused(f"SELECT * FROM {table}")[0] == HIDDEN


def test_select_takes_usage_on_database_and_schema(admin: Client, somebody: Person, table: str) -> None:
    admin.run(f"GRANT SELECT ON TABLE {table} TO ROLE {somebody.role}")
    assert somebody.client.refused(f"SELECT * FROM {table}")[0] == HIDDEN
    open_schema(admin, table, somebody.role)
    assert somebody.client.rows(f"SELECT * FROM {table}") == [(1, "one")]


CHANGES = [
    ("INSERT", "INSERT INTO {} VALUES (2, 'two')"),
    ("UPDATE", "UPDATE {} SET NAME = 'x'"),
    ("DELETE", "DELETE FROM {} WHERE ID = 9"),
    ("TRUNCATE", "TRUNCATE TABLE {}"),
]


@pytest.mark.parametrize(("privilege", "statement"), CHANGES)
def test_change_takes_its_own_privilege(
    admin: Client, somebody: Person, table: str, privilege: str, statement: str
) -> None:
    open_schema(admin, table, somebody.role)
    admin.run(f"GRANT SELECT ON TABLE {table} TO ROLE {somebody.role}")
    assert somebody.client.refused(statement.format(table))[0] == INSUFFICIENT
    admin.run(f"GRANT {privilege} ON TABLE {table} TO ROLE {somebody.role}")
    somebody.client.run(statement.format(table))


def test_merge_takes_insert_and_update(admin: Client, somebody: Person, table: str) -> None:
    merge = (
        f"MERGE INTO {table} t USING (SELECT 1 AS ID, 'x' AS NAME) s ON t.ID = s.ID "
        "WHEN MATCHED THEN UPDATE SET NAME = s.NAME WHEN NOT MATCHED THEN INSERT (ID, NAME) VALUES (ID, NAME)"
    )
    open_schema(admin, table, somebody.role)
    admin.run(f"GRANT SELECT, INSERT ON TABLE {table} TO ROLE {somebody.role}")
    assert somebody.client.refused(merge)[0] == INSUFFICIENT
    admin.run(f"GRANT UPDATE ON TABLE {table} TO ROLE {somebody.role}")
    somebody.client.run(merge)


def test_reading_through_other_statements_takes_select(admin: Client, somebody: Person, table: str) -> None:
    schema = table.rsplit(".", 1)[0]
    open_schema(admin, table, somebody.role)
    admin.run(f"GRANT CREATE TABLE, CREATE VIEW ON SCHEMA {schema} TO ROLE {somebody.role}")
    for statement in (
        f"CREATE TABLE {schema}.COPYCAT AS SELECT * FROM {table}",
        f"CREATE TABLE {schema}.COPYCAT CLONE {table}",
        f"CREATE TABLE {schema}.COPYCAT LIKE {table}",
        f"CREATE VIEW {schema}.COPYCAT AS SELECT * FROM {table}",
        f"SELECT * FROM (SELECT (SELECT COUNT(*) FROM {table}))",
        f"WITH c AS (SELECT * FROM {table}) SELECT * FROM c",
        f"SELECT * FROM IDENTIFIER('{table}')",
        f"SELECT 1 UNION ALL SELECT ID FROM {table}",
    ):
        assert somebody.client.refused(statement)[0] == HIDDEN, statement


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM TABLE(duckdb_tables())",
        "SELECT * FROM TABLE(read_csv('/etc/passwd'))",
        "SELECT * FROM (SELECT 1) s, LATERAL read_text('/etc/passwd') t",
        "SELECT * FROM _fs_global._fs_information_schema._fs_stages",
        "ATTACH '/var/x.db' AS x",
        "COPY (SELECT 1) TO '/var/x'",
        "INSTALL httpfs",
        "SET memory_limit = '1GB'; SELECT 1",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
    ],
)
def test_the_engine_below_is_out_of_reach(nobody: Person, statement: str) -> None:
    assert nobody.client.refused(statement)


ACCOUNT_STATEMENTS = [
    "CREATE DATABASE MINE",
    "CREATE WAREHOUSE MINE",
    "CREATE ROLE MINE",
    "CREATE USER MINE",
    "CREATE RESOURCE MONITOR MINE WITH CREDIT_QUOTA = 1",
    "ALTER ACCOUNT SET TIMEZONE = 'UTC'",
    "GRANT ROLE ACCOUNTADMIN TO ROLE {role}",
    "GRANT ROLE SYSADMIN TO USER {user}",
    "GRANT CREATE DATABASE ON ACCOUNT TO ROLE {role}",
    "GRANT MANAGE GRANTS ON ACCOUNT TO ROLE {role}",
    "GRANT OWNERSHIP ON WAREHOUSE WORK TO ROLE {role}",
    "GRANT MODIFY ON WAREHOUSE WORK TO ROLE {role}",
    "REVOKE USAGE ON WAREHOUSE WORK FROM ROLE {role}",
    "ALTER WAREHOUSE WORK SET WAREHOUSE_SIZE = LARGE",
    "ALTER WAREHOUSE WORK RESUME IF SUSPENDED",
    "DROP WAREHOUSE WORK",
    "DROP ROLE SYSADMIN",
    "DROP DATABASE LAB",
    "ALTER USER {user} SET DEFAULT_ROLE = ACCOUNTADMIN",
    "DROP USER HANGER_PROVISIONER",
]


@pytest.mark.parametrize("statement", ACCOUNT_STATEMENTS)
def test_low_role_cannot_change_the_account(nobody: Person, statement: str) -> None:
    number, _ = nobody.client.refused(statement.format(role=nobody.role, user=nobody.name))
    assert number in (HIDDEN, INSUFFICIENT)


def test_role_cannot_be_used_without_being_granted(nobody: Person) -> None:
    assert nobody.client.refused("USE ROLE SYSADMIN")[0] == 3013
    assert nobody.client.refused("USE ROLE NOSUCH")[0] == 2043
    assert nobody.client.refused("USE DATABASE LAB")[0] == 2043
    assert nobody.client.refused("USE WAREHOUSE NOSUCH")[0] == 2043


def test_creating_takes_the_right_of_the_schema(admin: Client, somebody: Person, table: str) -> None:
    schema = table.rsplit(".", 1)[0]
    open_schema(admin, table, somebody.role)
    for statement in (
        f"CREATE TABLE {schema}.X (I INT)",
        f"CREATE VIEW {schema}.X AS SELECT 1 AS I",
        f"CREATE STAGE {schema}.X",
        f"CREATE SEQUENCE {schema}.X",
        "CREATE SCHEMA LAB.X",
    ):
        assert somebody.client.refused(statement)[0] == INSUFFICIENT, statement


def test_information_schema_shows_only_what_may_be_known(admin: Client, somebody: Person, table: str) -> None:
    database, schema, _ = table.split(".")
    query = f"SELECT TABLE_SCHEMA, TABLE_NAME FROM {database}.INFORMATION_SCHEMA.TABLES t WHERE t.TABLE_NAME <> ''"
    assert somebody.client.refused(query)[0] == HIDDEN
    open_schema(admin, table, somebody.role)
    assert somebody.client.rows(query) == []
    schemata = f"SELECT SCHEMA_NAME FROM {database}.INFORMATION_SCHEMA.SCHEMATA ORDER BY 1"
    assert somebody.client.rows(schemata) == [("INFORMATION_SCHEMA",), (schema,)]
    admin.run(f"GRANT SELECT ON TABLE {table} TO ROLE {somebody.role}")
    assert somebody.client.rows(query) == [(schema, "T")]


def test_changing_a_table_takes_ownership(admin: Client, somebody: Person, table: str) -> None:
    open_schema(admin, table, somebody.role)
    admin.run(f"GRANT ALL PRIVILEGES ON TABLE {table} TO ROLE {somebody.role}")
    for statement in (
        f"DROP TABLE {table}",
        f"ALTER TABLE {table} ADD COLUMN X INT",
        f"ALTER TABLE {table} RENAME TO Y",
        f"COMMENT ON TABLE {table} IS 'mine'",
        f"GRANT SELECT ON TABLE {table} TO ROLE PUBLIC",
    ):
        assert somebody.client.refused(statement)[0] == INSUFFICIENT, statement


def test_stage_takes_read_and_write(
    admin: Client, somebody: Person, table: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    schema = table.rsplit(".", 1)[0]
    path = tmp_path_factory.mktemp("put") / "rows.csv"
    path.write_text("5,five\n")
    admin.run(f"CREATE STAGE {schema}.ST", f"GRANT USAGE, READ ON STAGE {schema}.ST TO ROLE {somebody.role}")
    open_schema(admin, table, somebody.role)
    put, copy = f"PUT file://{path} @{schema}.ST", f"COPY INTO {table} FROM @{schema}.ST"
    assert somebody.client.refused(put)[0] == INSUFFICIENT
    admin.run(f"GRANT WRITE ON STAGE {schema}.ST TO ROLE {somebody.role}")
    somebody.client.run(put)
    assert somebody.client.refused(copy)[0] == HIDDEN
    admin.run(f"GRANT INSERT ON TABLE {table} TO ROLE {somebody.role}")
    somebody.client.run(copy)
    assert admin.value(f"SELECT COUNT(*) FROM {table}") == 2


def test_work_takes_a_warehouse_but_metadata_does_not(service: Service, admin: Client, key: Key, table: str) -> None:
    with person(service, admin, key) as found:
        open_schema(admin, table, found.role)
        admin.run(f"GRANT SELECT, INSERT ON TABLE {table} TO ROLE {found.role}")
        assert found.client.refused(f"SELECT * FROM {table}")[0] == 606
        assert found.client.refused(f"INSERT INTO {table} VALUES (3, 'x')")[0] == 606
        found.client.run("SELECT 1", f"DESCRIBE TABLE {table}", "SHOW DATABASES", "USE DATABASE LAB")


def test_secondary_roles_do_not_create(service: Service, admin: Client, somebody: Person, table: str) -> None:
    second = unique("ROLE")
    schema = table.rsplit(".", 1)[0]
    admin.run(f"CREATE ROLE {second}", f"GRANT ROLE {second} TO USER {somebody.name}")
    open_schema(admin, table, second)
    admin.run(
        f"GRANT CREATE TABLE ON SCHEMA {schema} TO ROLE {second}", f"GRANT SELECT ON TABLE {table} TO ROLE {second}"
    )
    client = somebody.client
    assert client.rows(f"SELECT ID FROM {table}") == [(1,)]
    assert client.refused(f"CREATE TABLE {schema}.X (I INT)")[0] == INSUFFICIENT
    client.run("USE SECONDARY ROLES NONE")
    assert client.refused(f"SELECT ID FROM {table}")[0] == HIDDEN
    client.run(f"USE ROLE {second}", f"CREATE TABLE {schema}.X (I INT)")
