"""PUT over http, and COPY INTO from what was put."""

from __future__ import annotations

import datetime
import gzip
import time
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest
from snowflake_support import Client, Key, Service, unique

FORMAT = "FILE_FORMAT = (TYPE = CSV FIELD_OPTIONALLY_ENCLOSED_BY = '\"')"


@pytest.fixture
def stage(admin: Client) -> str:
    admin.run("CREATE STAGE ST")
    return "@ST"


def put(admin: Client, stage: str, path: Path, content: str, *, options: str = "") -> None:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content)
    admin.run(f"PUT 'file://{path}' {stage} {options}")


def test_quoted_fields_nulls_and_types(admin: Client, stage: str, tmp_path: Path) -> None:
    admin.run(
        "CREATE TABLE T (ID INT, NAME VARCHAR, AT TIMESTAMP_TZ, PRICE NUMBER(10,2), OK BOOLEAN, V VARIANT, D DATE)"
    )
    content = (
        '1,"a, ""quoted"" line\nand another",2024-05-01 10:00:00+00,1.50,true,"{""k"": [1]}",2024-02-29\n'
        '2,"",,,,,\n'
        "3,,\\N,,f,,\n"
    )
    put(admin, stage, tmp_path / "rows.csv.gz", content)
    (loaded,) = admin.dicts(f"COPY INTO T FROM {stage} {FORMAT}")
    assert (loaded["file"], loaded["status"], loaded["rows_loaded"]) == ("st/rows.csv.gz", "LOADED", 3)
    rows = admin.rows("SELECT ID, NAME, AT, PRICE, OK, V:k[0]::INT, D FROM T ORDER BY ID")
    assert rows[0] == (
        1,
        'a, "quoted" line\nand another',
        datetime.datetime(2024, 5, 1, 10, tzinfo=datetime.UTC),
        Decimal("1.50"),
        True,
        1,
        datetime.date(2024, 2, 29),
    )
    assert rows[1] == (2, "", None, None, None, None, None)
    assert rows[2] == (3, None, None, None, False, None, None)


def test_leading_zeros_survive(admin: Client, stage: str, tmp_path: Path) -> None:
    admin.run("CREATE TABLE T (CODE VARCHAR)")
    put(admin, stage, tmp_path / "codes.csv", "00123\n00456\n")
    admin.run(f"COPY INTO T FROM {stage}")
    assert admin.rows("SELECT CODE FROM T ORDER BY 1") == [("00123",), ("00456",)]


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.csv.gz"])
def test_empty_file_loads_no_rows(admin: Client, stage: str, tmp_path: Path, name: str) -> None:
    admin.run("CREATE TABLE T (I INT)")
    put(admin, stage, tmp_path / name, "")
    (loaded,) = admin.dicts(f"COPY INTO T FROM {stage} {FORMAT}")
    assert (loaded["status"], loaded["rows_loaded"]) == ("LOADED", 0)


def test_nothing_on_the_stage(admin: Client, stage: str) -> None:
    admin.run("CREATE TABLE T (I INT)")
    assert admin.value(f"COPY INTO T FROM {stage}") == "Copy executed with 0 files processed."


def test_paths_files_columns_header_and_purge(admin: Client, stage: str, tmp_path: Path) -> None:
    admin.run("CREATE TABLE T (A INT, B VARCHAR DEFAULT 'none', C INT)")
    put(admin, f"{stage}/day=1", tmp_path / "one.csv", "c|a\n1|2\n")
    put(admin, f"{stage}/day=1/", tmp_path / "two.csv", "c|a\n3|4\n")
    put(admin, f"{stage}/day=2", tmp_path / "three.csv", "c|a\n5|6\n")
    admin.run(
        f"COPY INTO T (C, A) FROM {stage}/day=1/ FILES = ('one.csv.gz') "
        "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 FIELD_DELIMITER = '|') PURGE = TRUE"
    )
    assert admin.rows("SELECT A, B, C FROM T") == [(2, "none", 1)]
    listed = [row["name"] for row in admin.dicts(f"LIST {stage}")]
    assert listed == ["st/day=1/two.csv.gz", "st/day=2/three.csv.gz"]
    assert [row["result"] for row in admin.dicts(f"REMOVE {stage}/day=1")] == ["removed"]
    assert len(admin.rows(f"LIST {stage}")) == 1
    assert admin.refused(f"COPY INTO T FROM {stage} FILES = ('absent.csv')")[0] == 91016


@pytest.mark.parametrize("name", ["*.csv", "[ab].csv", "?.csv", "a[.csv", "{a,b}.csv", "b]*[!a].csv"])
def test_file_name_is_not_a_pattern(admin: Client, service: Service, stage: str, name: str) -> None:
    """Drivers expand patterns before they upload, but other clients need not."""
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE T (I INT)")
    directory = service.directory / "data" / "stages" / "LAB" / schema / "named" / "ST" / "[x]"
    directory.mkdir(parents=True)
    for other in ("a.csv", "b.csv", "[*].csv", "[?].csv", "a[[].csv"):
        (directory / other).write_text("1\n")
    (directory / name).write_text("2\n")
    admin.run(f"COPY INTO T FROM {stage}/[x]/ FILES = ('{name}')")
    assert admin.rows("SELECT * FROM T") == [(2,)]


def test_same_content_is_loaded_once(admin: Client, stage: str, tmp_path: Path) -> None:
    admin.run("CREATE TABLE T (I INT)")
    put(admin, stage, tmp_path / "rows.csv", "1\n")
    states = [admin.dicts(f"COPY INTO T FROM {stage} {more}")[0]["status"] for more in ("", "", "FORCE = TRUE")]
    assert states == ["LOADED", "LOAD_SKIPPED", "LOADED"]
    put(admin, stage, tmp_path / "rows.csv", "2\n", options="OVERWRITE = TRUE")
    assert admin.dicts(f"COPY INTO T FROM {stage}")[0]["status"] == "LOADED"
    admin.run("CREATE OR REPLACE TABLE T (I INT)")
    assert admin.dicts(f"COPY INTO T FROM {stage}")[0]["status"] == "LOADED"


@pytest.mark.parametrize(("content", "number"), [("x\n", 100038), ("1,2\n", 100080)])
def test_bad_file_loads_nothing(admin: Client, stage: str, tmp_path: Path, content: str, number: int) -> None:
    admin.run("CREATE TABLE T (I INT)")
    put(admin, stage, tmp_path / "a_good.csv", "1\n")
    put(admin, stage, tmp_path / "b_bad.csv", content)
    assert admin.refused(f"COPY INTO T FROM {stage}")[0] == number
    assert admin.value("SELECT COUNT(*) FROM T") == 0


def test_copy_inside_a_transaction_can_be_rolled_back(admin: Client, stage: str, tmp_path: Path) -> None:
    admin.run("CREATE TABLE T (I INT)")
    put(admin, stage, tmp_path / "rows.csv", "1\n")
    admin.run("BEGIN", f"COPY INTO T FROM {stage}", "ROLLBACK")
    assert admin.value("SELECT COUNT(*) FROM T") == 0
    assert admin.dicts(f"COPY INTO T FROM {stage}")[0]["status"] == "LOADED"


@pytest.mark.parametrize(
    "options",
    [
        "FILE_FORMAT = (TYPE = AVRO)",
        "ON_ERROR = CONTINUE",
        "FILE_FORMAT = (TYPE = CSV ENCODING = 'LATIN1')",
        "NOSUCH = 1",
    ],
)
def test_what_copy_cannot_do_is_refused(admin: Client, stage: str, options: str) -> None:
    admin.run("CREATE TABLE T (I INT)")
    assert admin.refused(f"COPY INTO T FROM {stage} {options}")[0] == 2


def test_stage_names_in_quotes_and_table_stages(admin: Client, tmp_path: Path) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run('CREATE STAGE "my stage"', "CREATE TABLE T (I INT)")
    put(admin, f'\'@"LAB"."{schema}"."my stage"/x\'', tmp_path / "rows.csv", "1\n")
    admin.run(f'COPY INTO T FROM \'@"LAB"."{schema}"."my stage"/x\'')
    put(admin, "@%T", tmp_path / "more.csv", "2\n")
    admin.run("COPY INTO T FROM @%T")
    assert admin.rows("SELECT I FROM T ORDER BY 1") == [(1,), (2,)]
    assert admin.refused("LIST @NOSUCH")[0] == 2003
    assert admin.refused("LIST @~")[0] == 2
    assert admin.refused(f"PUT 'file://{tmp_path}/rows.csv' @%T/../../x")[0] == 1011


def test_upload_goes_to_the_address_that_the_client_used(
    service: Service, admin: Client, key: Key, tmp_path: Path
) -> None:
    """A client on another machine knows the account by another address; it must not be sent to 127.0.0.1."""
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE STAGE ST")
    connection = service.connect(host="127.0.0.2", database="LAB", schema=schema)
    path = tmp_path / "rows.csv"
    path.write_text("1\n")
    answer = connection.cursor()._execute_helper(f"PUT 'file://{path}' @ST")
    assert answer["data"]["stageInfo"]["presignedUrl"].startswith(f"http://127.0.0.2:{service.port}/")
    assert answer["data"]["stageInfo"]["locationType"] != "LOCAL_FS"
    Client(connection).run(f"PUT 'file://{path}' @ST")
    assert len(admin.rows("LIST @ST")) == 1
    connection.close()


@pytest.mark.parametrize(
    "path", ["LAB/PUBLIC/x", "..%2Fcatalog.sqlite", "LAB/PUBLIC/x?expires=9999999999&signature=00"]
)
def test_upload_without_a_signature_is_refused(service: Service, path: str) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{service.port}/stage-upload/{path}", b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 403


def test_throughput(admin: Client, stage: str, tmp_path: Path) -> None:
    rows = 200_000
    table = unique("BIG")
    admin.run(f"CREATE TABLE {table} (ID INT, NAME VARCHAR, AT TIMESTAMP_NTZ)")
    content = "".join(f'{i},"climber ""{i}""",2024-01-01 00:00:00\n' for i in range(rows))
    start = time.monotonic()
    put(admin, stage, tmp_path / "big.csv.gz", content)
    admin.run(f"COPY INTO {table} FROM {stage} {FORMAT}")
    assert rows / (time.monotonic() - start) > 50_000
    assert admin.value(f"SELECT COUNT(*) FROM {table}") == rows


def test_put_may_end_with_a_semicolon_and_copy_from_the_tables_stage(admin: Client, stage: str, tmp_path: Path) -> None:
    admin.run("CREATE TABLE T (I INT)")
    put(admin, stage, tmp_path / "one.csv", "1\n", options=";")
    put(admin, f"{stage};", tmp_path / "two.csv", "2\n")
    put(admin, "@%T", tmp_path / "three.csv", "3\n")
    admin.run(f"COPY INTO T FROM {stage}", "COPY INTO T")
    assert admin.rows("SELECT * FROM T ORDER BY I") == [(1,), (2,), (3,)]
