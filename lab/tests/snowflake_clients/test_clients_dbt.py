"""dbt builds a small project: seeds, views, tables, incremental models, a snapshot, unit and data tests, grants."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from clients_support import HERE, Environment, environment
from snowflake_support import Client, Key, Service


@pytest.fixture
def dbt(admin: Client, service: Service, key: Key, key_file: Path) -> Environment:
    admin.run(
        "CREATE WAREHOUSE TRANSFORM",
        "CREATE DATABASE ANALYTICS",
        "CREATE ROLE TRANSFORMER",
        "CREATE ROLE REPORTER",
        "CREATE ROLE AUDITOR",
        f"CREATE USER DBT TYPE = SERVICE RSA_PUBLIC_KEY = '{key.public}' DEFAULT_ROLE = TRANSFORMER",
        "GRANT ROLE TRANSFORMER TO USER DBT",
        "GRANT ROLE TRANSFORMER TO ROLE SYSADMIN",
        "GRANT USAGE ON WAREHOUSE TRANSFORM TO ROLE TRANSFORMER",
        "GRANT USAGE, CREATE SCHEMA ON DATABASE ANALYTICS TO ROLE TRANSFORMER",
        "USE WAREHOUSE WORK",
    )
    made = environment("dbt")
    made.variables = {
        "GYM_PORT": str(service.port),
        "GYM_KEY": str(key_file),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": ".",
    }
    return made


def test_dbt_builds_twice_and_documents(dbt: Environment, admin: Client, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(HERE / "dbt", project)
    members = project / "seeds/members.csv"
    for plan in ("basic", "plus"):
        members.write_text(members.read_text().replace("1,Ana,basic", f"1,Ana,{plan}"))
        printed = dbt.succeed("dbt", "build", directory=project)
        assert "PASS=12 WARN=0 ERROR=0 SKIP=0" in printed, printed
    dbt.succeed("dbt", "docs", "generate", directory=project)

    place = "ANALYTICS.GYM"
    assert admin.rows(f"SELECT NAME, VISITS FROM {place}.VISITS_PER_MEMBER ORDER BY MEMBER_ID") == [
        ("Ana", 2),
        ("Björn", 1),
        ("O'Neil, Pat", 0),
    ]
    assert admin.value(f"SELECT LAST_VISIT FROM {place}.VISITS_PER_MEMBER WHERE MEMBER_ID = 3") is None
    assert admin.rows(f"SELECT * FROM {place}.REPLACED_DAYS ORDER BY VISITS") != []
    history = "SELECT PLAN, DBT_VALID_TO IS NULL FROM ANALYTICS.HISTORY.MEMBERS_HISTORY WHERE ID = 1 ORDER BY 2"
    assert admin.rows(history) == [("basic", False), ("plus", True)]
    assert _readers(admin, f"TABLE {place}.PLANS") == {"AUDITOR", "REPORTER"}
    assert _readers(admin, f"VIEW {place}.STAGED_VISITS") == {"REPORTER"}
    catalog = json.loads((project / "target/catalog.json").read_text())
    documented = catalog["nodes"]["model.gym.visits_per_member"]
    assert documented["metadata"]["comment"] == 'How often each member came, "quoted" and isn\'t it.'
    assert documented["columns"]["MEMBER_ID"]["comment"] == "The member's number."


def _readers(admin: Client, target: str) -> set[str]:
    rows = admin.dicts(f"SHOW GRANTS ON {target}")
    return {row["grantee_name"] for row in rows if row["privilege"] == "SELECT"}
