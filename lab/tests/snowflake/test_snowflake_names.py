"""Names that need quotes, everywhere that a name may stand; and statements of 10 MB."""

from __future__ import annotations

import time

import pytest
from snowflake_support import Client

ODD = ["lower case", "with.dots", "Ünïcode 表", "select", "it's"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_everywhere(odd: str, admin: Client) -> None:
    database, schema = f'"{odd} db"', f'"{odd}"'
    table, view, column = f'"{odd} ""t"""', f'"{odd} v"', f'"{odd} c"'
    place = f"{database}.{schema}"
    admin.run(
        f"CREATE DATABASE {database}",
        f"CREATE SCHEMA {place}",
        f"CREATE TABLE {place}.{table} ({column} INT PRIMARY KEY, S VARCHAR(10) COMMENT 'x')",
        f"INSERT INTO {place}.{table} ({column}, S) VALUES (1, 'é')",
        f"CREATE VIEW {view} AS SELECT {column} AS {view} FROM {table}",
        f"UPDATE {table} SET S = 'z' WHERE {column} = 1",
        f"MERGE INTO {table} T USING (SELECT 1 AS {column}, 'm' AS S UNION ALL SELECT 2, 'n') X "
        f"ON T.{column} = X.{column} WHEN MATCHED THEN UPDATE SET S = X.S "
        f"WHEN NOT MATCHED THEN INSERT ({column}, S) VALUES ({column}, S)",
        f'CREATE TABLE "{odd} 2" AS SELECT * FROM {table}',
        f'ALTER TABLE "{odd} 2" SWAP WITH {table}',
        f'ALTER TABLE "{odd} 2" RENAME TO "{odd} 3"',
        f'CREATE TEMPORARY TABLE {place}."{odd} tmp" (I INT)',
        f'CREATE STAGE "{odd} st"' if "'" not in odd else "SELECT 1",
    )
    assert admin.rows(f"SELECT {column}, S FROM {place}.{table} ORDER BY 1") == [(1, "m"), (2, "n")]
    assert admin.rows(f"SELECT {view} FROM {view} ORDER BY 1") == [(1,), (2,)]
    name = f'{odd} "t"'
    shown = {row["name"] for row in admin.dicts(f"SHOW TABLES IN SCHEMA {place}")}
    assert shown == {name, f"{odd} 3", f"{odd} tmp"}
    assert admin.dicts(f"DESCRIBE TABLE {table}")[0]["name"] == f"{odd} c"
    found = admin.rows(f"SELECT TABLE_SCHEMA FROM {database}.INFORMATION_SCHEMA.TABLES WHERE TABLE_TYPE = 'VIEW'")
    assert found == [(odd,)]
    admin.run(f"DROP TABLE {table}", f"DROP VIEW {view}", f"DROP SCHEMA {place}", f"DROP DATABASE {database}")


def test_database_named_by_a_reserved_word(admin: Client) -> None:
    admin.run('CREATE DATABASE "select"', "CREATE TABLE T (I INT)", "INSERT INTO T VALUES (1)")
    assert admin.rows('SELECT * FROM "select".PUBLIC.T') == [(1,)]
    admin.run('DROP DATABASE "select"')


def test_ten_megabytes(admin: Client) -> None:
    admin.run("CREATE TABLE T (S VARCHAR)")
    started = time.monotonic()
    assert len(admin.value(f"SELECT '{'x' * 10_000_000}'")) == 10_000_000
    admin.run(f"INSERT INTO T VALUES ('{'y;' * 5_000_000}')")
    assert admin.value("SELECT LENGTH(S) FROM T") == 10_000_000
    assert admin.refused(f"SELECT '{'x' * 10_000_000}")[0] == 1003
    assert admin.refused(f"CREATE ROLE {'R' * 10_000_000} NONSENSE")
    assert time.monotonic() - started < 60
