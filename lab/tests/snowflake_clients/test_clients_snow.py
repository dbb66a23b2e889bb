"""Snowflake CLI: `snow sql` and its stages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clients_support import Environment, environment
from snowflake_support import Client, Service


@pytest.fixture
def snow(admin: Client, service: Service, key_file: Path, tmp_path: Path) -> tuple[Environment, list[str]]:
    assert admin
    configuration = tmp_path / "config.toml"
    configuration.touch(0o600)
    configuration.write_text(
        "[cli.logs]\nsave_logs = false\n"
        '[connections.lab]\naccount = "HANGERLAB"\nuser = "HANGER_PROVISIONER"\nhost = "127.0.0.1"\n'
        f'port = {service.port}\nprotocol = "http"\nauthenticator = "SNOWFLAKE_JWT"\n'
        f'private_key_file = "{key_file}"\nwarehouse = "WORK"\n'
    )
    made = environment("snow-cli")
    made.variables = {"HOME": str(tmp_path), "SNOWFLAKE_HOME": str(tmp_path)}
    return made, ["--config-file", str(configuration)]


def test_snow_sql_runs_several_statements(snow: tuple[Environment, list[str]], tmp_path: Path) -> None:
    client, before = snow
    rows = tmp_path / "rows.csv"
    rows.write_text("7,x\n8,y\n")
    text = (
        "CREATE DATABASE CLI; CREATE TABLE CLI.PUBLIC.T (I INT, S VARCHAR); CREATE STAGE CLI.PUBLIC.ST; "
        f"PUT 'file://{rows}' @CLI.PUBLIC.ST; COPY INTO CLI.PUBLIC.T FROM @CLI.PUBLIC.ST; "
        "SELECT CURRENT_ROLE() AS R, SUM(I) AS N FROM CLI.PUBLIC.T"
    )
    printed = client.succeed("snow", *before, "sql", "-c", "lab", "--format", "json", "-q", text)
    results = json.loads(printed)
    assert len(results) == 6
    assert results[-1] == [{"R": "ACCOUNTADMIN", "N": 15}]


def test_snow_sql_says_what_was_refused(snow: tuple[Environment, list[str]]) -> None:
    client, before = snow
    outcome = client.run("snow", *before, "sql", "-c", "lab", "-q", "SELECT * FROM NOSUCH.A.B")
    assert outcome.code != 0
    assert "does not exist or not authorized" in " ".join(outcome.output.replace("│", " ").split())
