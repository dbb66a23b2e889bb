"""Keys of tables are kept for who asks and not enforced; and SHOW for kinds of which there are none."""

from __future__ import annotations

import pytest
from snowflake_support import Client, Person


def test_keys_are_shown_and_not_enforced(admin: Client) -> None:
    admin.run(
        "CREATE TABLE PARENT (ID INT PRIMARY KEY)",
        "CREATE TABLE CHILD (A INT, B INT CONSTRAINT ONLY_ONE UNIQUE, P INT, PRIMARY KEY (A, B) RELY, "
        "CONSTRAINT BELONGS FOREIGN KEY (P) REFERENCES PARENT (ID))",
        "INSERT INTO CHILD VALUES (1, 1, 9), (1, 1, 9)",
        "ALTER TABLE PARENT ADD CONSTRAINT ALSO UNIQUE (ID)",
    )
    assert admin.value("SELECT COUNT(*) FROM CHILD") == 2
    assert "NULL" in admin.refused("INSERT INTO CHILD VALUES (NULL, 1, 9)")[1]
    primary = admin.dicts("SHOW PRIMARY KEYS IN TABLE CHILD")
    assert [(row["column_name"], row["key_sequence"]) for row in primary] == [("A", 1), ("B", 2)]
    unique_keys = admin.dicts("SHOW UNIQUE KEYS")
    assert [(row["table_name"], row["constraint_name"]) for row in unique_keys] == [
        ("CHILD", "ONLY_ONE"),
        ("PARENT", "ALSO"),
    ]
    (imported,) = admin.dicts("SHOW IMPORTED KEYS IN TABLE CHILD")
    assert [imported[c] for c in ("fk_name", "fk_column_name", "pk_table_name", "pk_column_name")] == [
        "BELONGS",
        "P",
        "PARENT",
        "ID",
    ]


def test_a_foreign_key_needs_its_table(admin: Client) -> None:
    assert admin.refused("CREATE TABLE T (I INT REFERENCES NOSUCH (X))")[0] == 2003
    assert admin.rows("SHOW TABLES") == []


def test_keys_of_hidden_tables_are_hidden(admin: Client, somebody: Person) -> None:
    admin.run("CREATE TABLE T (I INT PRIMARY KEY)")
    assert somebody.client.rows("SHOW PRIMARY KEYS IN ACCOUNT") == []


@pytest.mark.parametrize(
    "kinds",
    [
        "USER FUNCTIONS",
        "USER PROCEDURES",
        "TASKS",
        "STREAMS",
        "PIPES",
        "EXTERNAL FUNCTIONS",
        "DYNAMIC TABLES",
        "SHARES",
    ],
)
def test_there_are_none(kinds: str, admin: Client) -> None:
    assert admin.rows(f"SHOW {kinds}") == []


def test_show_in_an_unknown_schema_is_refused(admin: Client) -> None:
    assert admin.refused("SHOW USER FUNCTIONS IN SCHEMA LAB.NOSUCH")[0] == 2043
    assert admin.refused("SHOW OBJECTS IN LAB.NOSUCH")[0] == 2043
    assert admin.refused("SHOW NONSENSE")[0] == 2


def test_transient_tables_are_tables_among_objects(admin: Client) -> None:
    admin.run("CREATE TRANSIENT TABLE T (I INT)")
    assert [row["kind"] for row in admin.dicts("SHOW OBJECTS")] == ["TABLE"]
    assert [row["kind"] for row in admin.dicts("SHOW TABLES")] == ["TRANSIENT"]


def test_grant_without_a_kind_is_on_a_table_or_view(admin: Client, somebody: Person) -> None:
    admin.run("CREATE TABLE T (I INT)", "CREATE VIEW V AS SELECT I FROM T")
    for name in ("T", "V"):
        admin.run(f"GRANT SELECT ON {name} TO {somebody.role}")
        assert somebody.role in {row["grantee_name"] for row in admin.dicts(f"SHOW GRANTS ON {name}")}
    assert admin.refused(f"GRANT SELECT ON NOSUCH TO {somebody.role}")[0] == 2003


def test_comments_on_many_columns(admin: Client, somebody: Person) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run(
        'CREATE TABLE T (A INT, "b" INT)', 'ALTER TABLE T ALTER "A" COMMENT $$it\'s$$, COLUMN "b" COMMENT \'two\''
    )
    query = (
        f"SELECT COLUMN_NAME, COMMENT FROM LAB.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = '{schema}' ORDER BY 1"
    )
    assert admin.rows(query) == [("A", "it's"), ("b", "two")]
    statement = f"ALTER TABLE LAB.{schema}.T ALTER A COMMENT 'x', \"b\" COMMENT 'y'"
    assert somebody.client.refused(statement)[0] == 2003
    assert admin.refused("ALTER TABLE T ALTER A COMMENT 'x', NOSUCH COMMENT 'y'")
    assert admin.rows(query) == [("A", "it's"), ("b", "two")]
