"""Each service user can do what its role is for, and is refused everything else."""

import json
import os
import stat
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, ProgrammingError

LAB = Path(os.environ.get("HANGER_LAB_DIR", ".lab")).resolve()
FACTS = json.loads((LAB / "lab.json").read_text())["snowflake"]
KEYS = LAB / "secrets/molecule-snowflake"
MISSING = "does not exist or not authorized"


def connect(user, key=None, **settings):
    return snowflake.connector.connect(
        account=FACTS["account"],
        host=FACTS["host"],
        port=FACTS["port"],
        protocol=FACTS["protocol"],
        user=user,
        private_key_file=str(KEYS / f"{(key or user).lower()}.p8"),
        login_timeout=15,
        **settings,
    )


@pytest.fixture(scope="module")
def writer():
    with connect("MOLECULE_WRITER") as session:
        session.cursor().execute("CREATE TABLE IF NOT EXISTS MOLECULE.LANDING.CLIMBS (ID INT)")
        session.cursor().execute("CREATE TABLE IF NOT EXISTS MOLECULE.HIDDEN.CLIMBS (ID INT)")
        session.cursor().execute("INSERT INTO MOLECULE.LANDING.CLIMBS VALUES (1), (2)")
        yield session


@pytest.fixture(scope="module")
def reader(writer):
    with connect("MOLECULE_READER") as session:
        yield session


def rows(session, statement):
    return session.cursor().execute(statement).fetchall()


def test_a_new_session_has_the_defaults_of_its_user(reader):
    assert rows(reader, "SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE()") == [("MOLECULE_READER", "MOLECULE")]


def test_a_future_grant_makes_a_new_table_readable(reader):
    assert rows(reader, "SELECT COUNT(*) FROM MOLECULE.LANDING.CLIMBS") == [(2,)]


def test_a_table_without_the_grant_is_refused(reader):
    with pytest.raises(ProgrammingError, match=MISSING):
        rows(reader, "SELECT * FROM MOLECULE.HIDDEN.CLIMBS")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO MOLECULE.LANDING.CLIMBS VALUES (3)",
        "CREATE TABLE MOLECULE.LANDING.MINE (ID INT)",
        "DROP TABLE MOLECULE.LANDING.CLIMBS",
        "GRANT SELECT ON TABLE MOLECULE.HIDDEN.CLIMBS TO ROLE MOLECULE_READER",
        "GRANT ROLE ACCOUNTADMIN TO USER MOLECULE_READER",
        "USE ROLE ACCOUNTADMIN",
        "CREATE DATABASE MINE",
    ],
)
def test_the_reader_cannot_write_or_grant(reader, statement):
    with pytest.raises(ProgrammingError):
        rows(reader, statement)


def test_another_users_key_is_refused():
    with pytest.raises(DatabaseError, match="390144"):
        connect("MOLECULE_READER", key="MOLECULE_WRITER")


def test_a_role_that_is_not_granted_is_refused():
    with pytest.raises(DatabaseError, match="390189"):
        connect("MOLECULE_READER", role="MOLECULE_WRITER")


def test_only_the_owner_can_read_the_private_keys():
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in KEYS.glob("*.p8")}
    assert modes == {"molecule_writer.p8": 0o600, "molecule_reader.p8": 0o600}
    assert stat.S_IMODE(KEYS.stat().st_mode) == 0o700
