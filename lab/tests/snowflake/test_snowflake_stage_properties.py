"""Storage integrations, stages and file formats: their properties, and what COPY makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from snowflake_support import Client, Person, unique

ARN = "arn:aws:iam::123456789012:role/loader"


@pytest.fixture
def schema(admin: Client) -> str:
    return f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"


def described(client: Client, what: str) -> dict[str, Any]:
    return {row["property"]: row["property_value"] for row in client.dicts(f"DESC {what}")}


def shown(client: Client, plural: str, name: str, schema: str) -> dict[str, Any]:
    (row,) = client.dicts(f"SHOW {plural} LIKE '{name}' IN SCHEMA {schema}")
    return row


def test_integration_life(admin: Client) -> None:
    name = unique("SI")
    admin.run(
        f"CREATE STORAGE INTEGRATION {name} TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
        f"STORAGE_AWS_ROLE_ARN = '{ARN}' STORAGE_ALLOWED_LOCATIONS = ('s3://a/', 's3://b/in/') COMMENT = 'x'",
        f"CREATE STORAGE INTEGRATION IF NOT EXISTS {name} TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'GCS' "
        "ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS = ('*')",
    )
    for plural in ("INTEGRATIONS", "STORAGE INTEGRATIONS"):
        (row,) = admin.dicts(f"SHOW {plural} LIKE '{name}'")
        assert list(row) == ["name", "type", "category", "enabled", "comment", "created_on"]
        assert (row["type"], row["category"], row["enabled"]) == ("EXTERNAL_STAGE", "STORAGE", "true")
    admin.run(
        f"ALTER STORAGE INTEGRATION {name} SET ENABLED = FALSE STORAGE_BLOCKED_LOCATIONS = ('s3://a/secret/')",
        f"ALTER INTEGRATION {name} UNSET COMMENT",
    )
    rows = {row["property"]: row for row in admin.dicts(f"DESC STORAGE INTEGRATION {name}")}
    assert (rows["ENABLED"]["property_type"], rows["ENABLED"]["property_value"]) == ("Boolean", "false")
    assert rows["STORAGE_ALLOWED_LOCATIONS"]["property_value"] == "s3://a/,s3://b/in/"
    assert rows["STORAGE_BLOCKED_LOCATIONS"]["property_value"] == "s3://a/secret/"
    assert rows["STORAGE_AWS_ROLE_ARN"]["property_value"] == ARN
    assert rows["STORAGE_AWS_EXTERNAL_ID"]["property_value"]
    admin.run(f"DROP INTEGRATION {name}", f"DROP STORAGE INTEGRATION IF EXISTS {name}")
    assert admin.refused(f"DESC INTEGRATION {name}")[0] == 2003


@pytest.mark.parametrize(
    ("rest", "number"),
    [
        ("TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS = ('s3://a/')", 2029),
        ("TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'GCS' STORAGE_ALLOWED_LOCATIONS = ('gcs://a/')", 2029),
        ("TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'GCS' ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS = ('s3://a/')", 1008),
        ("TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'FTP' ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS = ('*')", 1008),
        ("TYPE = QUEUE ENABLED = TRUE", 1008),
    ],
)
def test_integrations_that_make_no_sense_are_refused(admin: Client, rest: str, number: int) -> None:
    assert admin.refused(f"CREATE STORAGE INTEGRATION {unique('SI')} {rest}")[0] == number


def test_integrations_are_for_account_administrators(admin: Client, somebody: Person, schema: str) -> None:
    name = unique("SI")
    create = (
        f"CREATE STORAGE INTEGRATION {name} TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'GCS' ENABLED = TRUE "
        "STORAGE_ALLOWED_LOCATIONS = ('gcs://a/')"
    )
    stage = f"CREATE STAGE {schema}.OUT URL = 'gcs://a/in' STORAGE_INTEGRATION = {name}"
    assert somebody.client.refused(create)[0] == 3001
    assert admin.refused("CREATE INTEGRATION X")[0] == 2
    admin.run(create, f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}")
    admin.run(f"GRANT USAGE, CREATE STAGE ON SCHEMA {schema} TO ROLE {somebody.role}")
    assert somebody.client.dicts("SHOW INTEGRATIONS") == []
    assert somebody.client.refused(stage)[0] == 2003
    admin.run(f"GRANT USAGE ON INTEGRATION {name} TO ROLE {somebody.role}")
    somebody.client.run(stage)
    elsewhere = stage.replace("gcs://a/in", "gcs://ab/in").replace(".OUT", ".ELSEWHERE")
    assert "is not allowed by integration" in somebody.client.refused(elsewhere)[1]
    assert somebody.client.refused(f"ALTER INTEGRATION {name} SET ENABLED = FALSE")[0] == 3001
    rows = admin.dicts(f"SHOW GRANTS ON INTEGRATION {name}")
    assert {(row["privilege"], row["granted_on"]) for row in rows} == {
        ("OWNERSHIP", "INTEGRATION"),
        ("USAGE", "INTEGRATION"),
    }


def test_file_format_life(admin: Client, schema: str) -> None:
    admin.run(
        f"CREATE FILE FORMAT {schema}.F TYPE = CSV SKIP_HEADER = 1 FIELD_DELIMITER = ';' NULL_IF = ('', 'NULL') "
        "FIELD_OPTIONALLY_ENCLOSED_BY = '\"' COMMENT = 'x'",
        f"CREATE FILE FORMAT {schema}.J TYPE = JSON STRIP_OUTER_ARRAY = TRUE",
    )
    row = shown(admin, "FILE FORMATS", "F", schema)
    assert list(row) == [
        "created_on", "name", "database_name", "schema_name", "type", "owner", "comment", "format_options",
        "owner_role_type",
    ]  # fmt: skip
    options = json.loads(row["format_options"])
    assert (options["TYPE"], options["SKIP_HEADER"], options["NULL_IF"]) == ("CSV", 1, ["", "NULL"])
    assert (options["ENCODING"], options["TRIM_SPACE"], row["comment"]) == ("UTF8", False, "x")
    assert json.loads(shown(admin, "FILE FORMATS", "J", schema)["format_options"])["STRIP_OUTER_ARRAY"] is True
    admin.run(f"ALTER FILE FORMAT {schema}.F SET SKIP_HEADER = 2, COMMENT = ''")
    found = described(admin, f"FILE FORMAT {schema}.F")
    assert (found["SKIP_HEADER"], found["FIELD_DELIMITER"], found["RECORD_DELIMITER"]) == ("2", ";", "\\n")
    assert found["NULL_IF"] == "[, NULL]"
    assert admin.refused(f"ALTER FILE FORMAT {schema}.F SET TYPE = JSON")[0] == 1420
    assert admin.refused(f"ALTER FILE FORMAT {schema}.F SET STRIP_OUTER_ARRAY = TRUE")[0] == 1420
    assert admin.refused(f"CREATE FILE FORMAT {schema}.G SKIP_HEADER = 1")[0] == 2029
    assert admin.refused(f"CREATE FILE FORMAT {schema}.F TYPE = CSV")[0] == 2002
    admin.run(f"ALTER FILE FORMAT {schema}.F RENAME TO {schema}.NEW", f"DROP FILE FORMAT {schema}.NEW")
    assert admin.refused(f"DROP FILE FORMAT {schema}.NEW")[0] == 2003


def test_stage_life(admin: Client, schema: str) -> None:
    admin.run(
        f"CREATE FILE FORMAT {schema}.F TYPE = CSV",
        f"CREATE STAGE {schema}.IN_ DIRECTORY = (ENABLE = TRUE) FILE_FORMAT = (FORMAT_NAME = '{schema}.F') "
        "COMMENT = 'x'",
        f"CREATE STAGE {schema}.PLAIN FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 3)",
        f"CREATE STAGE {schema}.OUT URL = 's3://a/b' CREDENTIALS = (AWS_KEY_ID = 'id' AWS_SECRET_KEY = 'very secret')",
    )
    row = shown(admin, "STAGES", "IN\\\\_", schema)
    assert (row["type"], row["url"], row["directory_enabled"], row["comment"]) == ("INTERNAL", "", "Y", "x")
    row = shown(admin, "STAGES", "OUT", schema)
    assert (row["type"], row["url"], row["cloud"], row["has_credentials"]) == ("EXTERNAL", "s3://a/b", "AWS", "Y")
    found = admin.dicts(f"DESC STAGE {schema}.PLAIN")
    assert list(found[0]) == [
        "parent_property", "property", "property_type", "property_value", "property_default",
    ]  # fmt: skip
    values = {(row["parent_property"], row["property"]): row["property_value"] for row in found}
    assert values["STAGE_FILE_FORMAT", "SKIP_HEADER"] == "3"
    assert values["STAGE_COPY_OPTIONS", "ON_ERROR"] == "ABORT_STATEMENT"
    assert described(admin, f"STAGE {schema}.IN_")["FORMAT_NAME"] == f"{schema}.F"
    outside = admin.rows(f"DESC STAGE {schema}.OUT")
    assert '["s3://a/b"]' in {row[3] for row in outside} and "very secret" not in str(outside)
    admin.run(
        f"ALTER STAGE {schema}.PLAIN SET FILE_FORMAT = (TYPE = JSON) COMMENT = 'y'",
        f"ALTER STAGE {schema}.PLAIN SET DIRECTORY = (ENABLE = TRUE)",
        f"ALTER FILE FORMAT {schema}.F RENAME TO {schema}.G",
    )
    row = shown(admin, "STAGES", "PLAIN", schema)
    assert (row["comment"], row["directory_enabled"]) == ("y", "Y")
    assert described(admin, f"STAGE {schema}.IN_")["FORMAT_NAME"] == f"{schema}.G"
    for statement, number in (
        (f"LIST @{schema}.OUT", 2),
        (f"REMOVE @{schema}.OUT", 2),
        (f"CREATE STAGE {schema}.X URL = 'ftp://a'", 1008),
        (f"CREATE STAGE {schema}.X STORAGE_INTEGRATION = Y", 1420),
        (f"CREATE STAGE {schema}.X FILE_FORMAT = (FORMAT_NAME = NOSUCH)", 2003),
        (f"CREATE STAGE {schema}.X FILE_FORMAT = (TYPE = CSV COLOUR = 'red')", 1420),
        (f"ALTER STAGE {schema}.PLAIN REFRESH", 1003),
    ):
        assert admin.refused(statement)[0] == number, statement


def test_files_follow_their_stage_and_are_read_by_its_format(admin: Client, schema: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("number;name\n1;one\n")
    admin.run(
        f"CREATE TABLE {schema}.T (I INT, N VARCHAR)",
        f"CREATE FILE FORMAT {schema}.F TYPE = CSV FIELD_DELIMITER = ';' SKIP_HEADER = 1",
        f"CREATE STAGE {schema}.ST FILE_FORMAT = (FORMAT_NAME = {schema}.F)",
        f"PUT file://{file} @{schema}.ST",
        f"COPY INTO {schema}.T FROM @{schema}.ST",
    )
    assert admin.rows(f"SELECT * FROM {schema}.T") == [(1, "one")]
    admin.run(f"ALTER STAGE {schema}.ST RENAME TO {schema}.NEW", f"TRUNCATE TABLE {schema}.T")
    assert len(admin.rows(f"LIST @{schema}.NEW")) == 1
    admin.run(f"COPY INTO {schema}.T FROM @{schema}.NEW FILE_FORMAT = (FORMAT_NAME = '{schema}.F') FORCE = TRUE")
    assert admin.rows(f"SELECT * FROM {schema}.T") == [(1, "one")]
    assert admin.refused(f"ALTER STAGE {schema}.NEW SET URL = 's3://a/'")[0] == 2
    admin.run(f"CREATE OR REPLACE STAGE {schema}.NEW")
    assert admin.rows(f"LIST @{schema}.NEW") == []


def test_naming_a_format_takes_usage(admin: Client, somebody: Person, schema: str) -> None:
    admin.run(
        f"CREATE FILE FORMAT {schema}.F TYPE = CSV",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE, CREATE STAGE ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    create = f"CREATE STAGE {schema}.ST FILE_FORMAT = (FORMAT_NAME = {schema}.F)"
    assert somebody.client.refused(create)[0] == 2003
    assert somebody.client.refused(f"CREATE FILE FORMAT {schema}.G TYPE = CSV")[0] == 3001
    admin.run(f"GRANT USAGE ON FILE FORMAT {schema}.F TO ROLE {somebody.role}")
    somebody.client.run(create)
    assert somebody.client.refused(f"ALTER FILE FORMAT {schema}.F SET SKIP_HEADER = 1")[0] == 3001


def test_temporary_ones_go_with_the_session(admin: Client, schema: str) -> None:
    admin.run(f"CREATE TEMPORARY STAGE {schema}.TMP", f"CREATE TEMP FILE FORMAT {schema}.TMP_F TYPE = CSV")
    assert shown(admin, "STAGES", "TMP", schema)["type"] == "INTERNAL TEMPORARY"
    admin.run(f"DROP STAGE {schema}.TMP", f"DROP FILE FORMAT IF EXISTS {schema}.TMP_F")
    assert admin.dicts(f"SHOW STAGES IN SCHEMA {schema}") == []
    assert admin.dicts(f"SHOW FILE FORMATS IN SCHEMA {schema}") == []
